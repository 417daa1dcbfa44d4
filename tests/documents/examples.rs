//! Every public item has an example.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, TraitItem, Type, UseTree, Visibility};

use crate::source::files;

#[test]
fn every_public_item_has_an_example_that_uses_it() {
    let facade = syn::parse_file(include_str!("../../src/lib.rs")).unwrap();
    let mut exported = BTreeSet::new();
    add_exports(&facade.items, &mut exported);

    let mut files = files("login-runtime/src", "rs");
    files.push("login-macros/src/lib.rs".into());
    let mut public = Public::default();
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        let code = syn::parse_file(&code).unwrap();
        public.add(&code.items);
        // The facade exports this module as a whole.
        if file.starts_with("login-runtime/src/testing") || file.ends_with("testing.rs") {
            add_exports(&code.items, &mut exported);
        }
    }
    public.check(&exported);
    assert!(public.items.len() > 50);
}

#[test]
fn every_public_item_of_a_store_has_an_example_that_uses_it() {
    for store in ["login-redis", "login-sqlx"] {
        let mut exported = BTreeSet::new();
        let mut public = Public::default();
        for file in files(&format!("{store}/src"), "rs") {
            let code = fs::read_to_string(&file).unwrap();
            let code = syn::parse_file(&code).unwrap();
            public.add(&code.items);
            if file.ends_with("lib.rs") {
                add_exports(&code.items, &mut exported);
            }
        }
        public.check(&exported);
        assert!(exported.len() > 5, "{store}: {exported:?}");
    }
}

/// Adds the names that the facade exports.
fn add_exports(items: &[Item], names: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Use(it) if matches!(it.vis, Visibility::Public(_)) => add_names(&it.tree, names),
            Item::Fn(it) if matches!(it.vis, Visibility::Public(_)) => {
                names.insert(it.sig.ident.to_string());
            }
            Item::Mod(it) if !is_hidden(&it.attrs) => {
                let items = it.content.iter().flat_map(|(_, items)| items.iter());
                add_exports(&items.cloned().collect::<Vec<_>>(), names);
            }
            _ => {}
        }
    }
}

fn add_names(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => add_names(&path.tree, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| add_names(tree, names)),
        UseTree::Name(name) => _ = names.insert(name.ident.to_string()),
        UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

/// The public items, with the examples in their documentation.
#[derive(Default)]
struct Public {
    /// Types, traits and functions.
    items: BTreeMap<String, Docs>,
    /// The functions of a type or trait.
    functions: Vec<(String, String, Docs)>,
}

impl Public {
    fn add(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Struct(it) => self.item(&it.vis, &it.attrs, it.ident.to_string()),
                Item::Enum(it) => self.item(&it.vis, &it.attrs, it.ident.to_string()),
                Item::Fn(it) => self.item(&it.vis, &it.attrs, it.sig.ident.to_string()),
                Item::Type(it) => self.item(&it.vis, &it.attrs, it.ident.to_string()),
                Item::Trait(it) => {
                    self.item(&it.vis, &it.attrs, it.ident.to_string());
                    let name = it.ident.to_string();
                    if self.items.contains_key(&name) {
                        for function in &it.items {
                            if let TraitItem::Fn(it) = function
                                && !is_hidden(&it.attrs)
                            {
                                let function = it.sig.ident.to_string();
                                self.functions
                                    .push((name.clone(), function, docs(&it.attrs)));
                            }
                        }
                    }
                }
                Item::Impl(it) if it.trait_.is_none() && !is_of_tests(&it.attrs) => {
                    let Type::Path(of) = &*it.self_ty else {
                        continue;
                    };
                    let of = of.path.segments.last().unwrap().ident.to_string();
                    for function in &it.items {
                        if let ImplItem::Fn(it) = function
                            && matches!(it.vis, Visibility::Public(_))
                            && !is_hidden(&it.attrs)
                        {
                            let function = it.sig.ident.to_string();
                            self.functions.push((of.clone(), function, docs(&it.attrs)));
                        }
                    }
                }
                Item::Mod(it) if !is_of_tests(&it.attrs) => {
                    if let Some((_, items)) = &it.content {
                        self.add(items);
                    }
                }
                Item::Macro(it) if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) => {
                    if let Some(name) = &it.ident {
                        self.add_item(name.to_string(), &it.attrs);
                    }
                }
                _ => {}
            }
        }
    }

    fn item(&mut self, visibility: &Visibility, attributes: &[Attribute], name: String) {
        if matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes) {
            self.add_item(name, attributes);
        }
    }

    /// A macro and a function of one name share their examples.
    fn add_item(&mut self, name: String, attributes: &[Attribute]) {
        let docs = docs(attributes);
        let known = self.items.entry(name).or_default();
        known.text.push_str(&docs.text);
        known.code.push_str(&docs.code);
    }

    /// Requires an example for each item that is exported.
    fn check(&self, exported: &BTreeSet<String>) {
        let is_exported = |name: &String| {
            let item = name.split("::").next().unwrap();
            exported.contains(item)
        };
        let missing: BTreeSet<_> = self.without_example().filter(is_exported).collect();
        assert!(missing.is_empty(), "without an example: {missing:#?}");
    }

    /// An example counts if it belongs to the item, or if the item's documentation names it. The example of a type or
    /// trait also counts for those of its functions that it calls.
    fn without_example(&self) -> impl Iterator<Item = String> {
        let items = self.items.iter();
        let items = items.filter(|(_, docs)| !self.is_shown(docs));
        let items = items.map(|(name, _)| name.clone());
        let functions = self.functions.iter().filter(|(of, name, docs)| {
            let of = self.items.get(of);
            !self.is_shown(docs)
                && of.is_some_and(|of| !of.code.contains(name.as_str()) && !self.names_another(of))
        });
        items.chain(functions.map(|(of, name, _)| format!("{of}::{name}")))
    }

    fn is_shown(&self, docs: &Docs) -> bool {
        !docs.code.is_empty() || self.names_another(docs)
    }

    /// Whether it says "The example of [`LoginManager::new`] shows it", and there is that example.
    fn names_another(&self, docs: &Docs) -> bool {
        let Some((_, name)) = docs.text.split_once("The example of [`") else {
            return false;
        };
        let name = name.split(['!', '`']).next().unwrap_or_default();
        let (of, function) = name.split_once("::").unwrap_or((name, ""));
        let functions = self.functions.iter();
        let mut functions = functions.filter(|it| it.0 == of && it.1 == function);
        let item = self.items.get(name);
        functions.any(|(_, _, docs)| !docs.code.is_empty())
            || item.is_some_and(|docs| !docs.code.is_empty())
    }
}

/// The documentation of an item.
#[derive(Default)]
struct Docs {
    text: String,
    /// The code in its examples.
    code: String,
}

fn docs(attributes: &[Attribute]) -> Docs {
    let mut docs = Docs::default();
    let mut is_code = false;
    for line in attributes.iter().filter_map(documentation) {
        if line.trim().starts_with("```") {
            is_code = !is_code;
        }
        let part = if is_code {
            &mut docs.code
        } else {
            &mut docs.text
        };
        part.push_str(&line);
        part.push('\n');
    }
    docs
}

fn documentation(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    has(attributes, "doc", "hidden")
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    has(attributes, "cfg", "test")
}

fn has(attributes: &[Attribute], name: &str, argument: &str) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident(name) && list.tokens.to_string() == argument,
        _ => false,
    })
}
