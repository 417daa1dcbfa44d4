//! Ten areas with ten guarded routes each, as in a large application.

use rocket::Route;

macro_rules! area {
    ($($name:ident $path:literal)*) => {
        use rocket::{Route, get, routes};
        use rocket_login::login_required;

        $(
            #[login_required]
            #[get($path)]
            fn $name() -> &'static str {
                $path
            }
        )*

        pub(super) fn routes() -> Vec<Route> {
            routes![$($name),*]
        }
    };
}

macro_rules! areas {
    ($($area:ident)*) => {
        /// The routes of each area, which are mounted separately.
        pub(crate) fn areas() -> Vec<Vec<Route>> {
            vec![$($area::routes()),*]
        }

        $(mod $area {
            area! {
                index "/"
                new "/new"
                list "/list"
                search "/search"
                archive "/archive"
                show "/<_>"
                edit "/<_>/edit"
                history "/<_>/history"
                share "/<_>/share"
                export "/<_>/export"
            }
        })*
    };
}

areas! { accounts carts files groups invoices messages orders pages products reports }
