//! A logout holds after a restart.

mod club;

use club::process::Process;

#[test]
fn a_logout_holds_after_a_restart() {
    let folder = club::folder();
    let logins = club::logins_in(&folder);
    let club = Process::start(&folder, &logins);
    let [gone, kept] = ["gone@example.org", "kept@example.org"].map(|mail| club.register(mail));
    assert!(club.is_logged_in(&gone) && club.is_logged_in(&kept));
    let answer = club.ask("POST /logout", &gone, "");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    for _ in 0..2 {
        assert!(!club.is_logged_in(&gone) && club.is_logged_in(&kept));
    }
    drop(club);

    let club = Process::start(&folder, &logins);
    assert!(!club.is_logged_in(&gone) && club.is_logged_in(&kept));
}
