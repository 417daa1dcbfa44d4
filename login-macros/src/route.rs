//! Recognises Rocket's route attributes.

use syn::Attribute;

const ROUTES: [&str; 8] = [
    "get", "put", "post", "delete", "head", "options", "patch", "route",
];

/// Is this `#[get(..)]`, `#[rocket::get(..)]` or one of their siblings?
pub(crate) fn is_route(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| ROUTES.iter().any(|route| segment.ident == route))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn plain_and_qualified_routes_are_recognised() {
        assert!(is_route(&parse_quote!(#[get("/")])));
        assert!(is_route(
            &parse_quote!(#[rocket::post("/", data = "<form>")])
        ));
        assert!(is_route(&parse_quote!(#[::rocket::route(GET, uri = "/")])));
    }

    #[test]
    fn other_attributes_are_not() {
        assert!(!is_route(&parse_quote!(#[catch(404)])));
        assert!(!is_route(&parse_quote!(#[doc = "get"])));
        assert!(!is_route(&parse_quote!(#[get::only])));
    }
}
