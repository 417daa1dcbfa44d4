// While the board is open, says that there is a new notice, and leaves the page when the login ends.
// Only on a page that is visible: browsers open few connections to one site.
let stream;

function listen() {
  stream?.close();
  if (document.hidden) return;
  stream = new EventSource("/dashboard/events");
  stream.addEventListener("notice", () => { document.getElementById("news").hidden = false; });
  stream.addEventListener("ended", () => location.reload());
}

document.addEventListener("visibilitychange", listen);
// After "Log out" the login may end before the answer is here, and a reload would take its place.
addEventListener("beforeunload", () => stream?.close());
listen();
