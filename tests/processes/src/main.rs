//! Without arguments a server, which the environment configures. With `late STORE COUNT` it measures how late a logout
//! is honored; STORE is `redis`, `postgres`, `sqlite`, or the URL of a store that runs already. With `rows STORE COUNT` it
//! measures the calls of a registry of logins with so many rows; STORE can also be `memory`.

use std::env;
use std::process::ExitCode;

use login_processes::{app, late, rows};

#[rocket::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => match app::rocket().launch().await {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => {
                println!("{error}");
                ExitCode::FAILURE
            }
        },
        ["late", store, count] => {
            let count = count.parse().expect("a number of logouts");
            let program = env::current_exe().expect("the path of this program");
            let measure = late::measure(&program, store, count);
            if measure {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        ["rows", store, count] => {
            let count = count.parse().expect("a number of rows");
            let measured = rows::measure(store, count).await;
            if measured {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        _ => {
            eprintln!(
                "usage: login-processes [late redis|postgres|sqlite|URL COUNT | rows memory|redis|postgres|sqlite COUNT]"
            );
            ExitCode::FAILURE
        }
    }
}
