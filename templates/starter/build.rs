fn main() {
    // `sqlx::migrate!` reads this folder, which cargo does not know.
    println!("cargo:rerun-if-changed=migrations");
}
