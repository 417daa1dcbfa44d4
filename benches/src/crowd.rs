//! Ten areas of ten guarded routes each, as the macro writes them: what a large application has many of.

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
        /// The routes of each area, to be mounted apart from each other.
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
