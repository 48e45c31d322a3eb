//! Finds which module of a crate imports which. Reads `use` trees and paths, inside macros too, and follows re-exports
//! to the module that defines the item. Code that is only for unit tests does not count.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// A module, as its path from the root of the crate. Empty for the root.
pub(super) type Name = Vec<String>;

/// The modules of a crate that have a file of their own, and what each imports.
pub(super) struct Imports {
    modules: BTreeMap<Name, Module>,
}

#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// The names of all items that are defined here.
    items: BTreeSet<String>,
    /// The names of those items that are types or traits.
    types: BTreeSet<String>,
    /// The names that `use` brings in here, with the path of each from the root.
    uses: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// The path of every `use`, and whether it is a re-export.
    trees: Vec<(Vec<String>, bool)>,
    /// Every other path, as it is written.
    paths: Vec<Vec<String>>,
}

/// The module that a path leads to, and whether the path names an item in it.
struct Place {
    module: Name,
    is_item: bool,
}

impl Imports {
    /// Reads a crate.
    pub(super) fn of(source: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for path in files(source) {
            let relative = path.strip_prefix(source).unwrap().with_extension("");
            let mut name: Name = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            match name.last().map(String::as_str) {
                Some("main" | "tests") => continue,
                Some("lib") if name.len() == 1 => name.clear(),
                _ => {}
            }
            let text = fs::read_to_string(&path).unwrap();
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            modules.insert(name, Module::of(parsed));
        }
        let names: Vec<_> = modules.keys().filter(|name| !name.is_empty()).cloned().collect();
        for name in names {
            let (last, parent) = name.split_last().unwrap();
            let parent = modules.get_mut(parent).unwrap_or_else(|| panic!("{name:?} has no parent"));
            parent.children.insert(last.clone());
        }
        let mut imports = Self { modules };
        imports.bind_names();
        imports
    }

    /// Resolves the names of each `use`. Called when all modules are known.
    fn bind_names(&mut self) {
        let names: Vec<_> = self.modules.keys().cloned().collect();
        for name in names {
            let trees = self.modules[&name].trees.clone();
            let bound: Vec<_> = trees.iter().filter_map(|(path, _)| self.absolute(&name, path)).collect();
            let module = self.modules.get_mut(&name).unwrap();
            for mut path in bound {
                match path.last().map(String::as_str) {
                    Some("*") => {
                        path.pop();
                        module.globs.push(path);
                    }
                    Some(_) => {
                        // `use a::b as c` is written as `a::b::=c` here.
                        let alias = path.last().unwrap().strip_prefix('=').map(str::to_owned);
                        if alias.is_some() {
                            path.pop();
                        }
                        let known_as = alias.unwrap_or_else(|| path.last().unwrap().clone());
                        module.uses.insert(known_as, path);
                    }
                    None => {}
                }
            }
        }
    }

    /// Returns the path from the root for a path that is written in `module`, or `None` if it leads out of the crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut base = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" | "super" => {
                while let Some(("self" | "super", tail)) = rest.split_first().map(|(a, b)| (a.as_str(), b)) {
                    if rest[0] == "super" {
                        base.pop()?;
                    }
                    rest = tail;
                }
            }
            first => {
                let module = &self.modules[module];
                if let Some(used) = module.uses.get(first) {
                    return Some(used.iter().chain(&path[1..]).cloned().collect());
                }
                if !module.children.contains(first) {
                    return None;
                }
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Finds the module that defines what a path from the root names.
    fn resolve(&self, path: &[String], depth: usize) -> Place {
        let mut at = Name::new();
        for (index, part) in path.iter().enumerate() {
            let module = &self.modules[&at];
            let is_last = index + 1 == path.len();
            // A function may have the same name as a module.
            if module.children.contains(part) && !(is_last && module.items.contains(part)) {
                at.push(part.clone());
                continue;
            }
            if !module.items.contains(part) && depth < 16 {
                if let Some(used) = module.uses.get(part) {
                    let path: Vec<_> = used.iter().chain(&path[index + 1..]).cloned().collect();
                    return self.resolve(&path, depth + 1);
                }
                for glob in &module.globs {
                    let base = self.resolve(glob, depth + 1);
                    if !base.is_item && self.modules[&base.module].items.contains(part) {
                        return Place { module: base.module, is_item: true };
                    }
                }
            }
            return Place { module: at, is_item: true };
        }
        Place { module: at, is_item: false }
    }

    /// Returns every pair of modules of which the first imports the second, with one name that it imports.
    pub(super) fn pairs(&self) -> BTreeMap<(Name, Name), String> {
        let mut pairs = BTreeMap::new();
        for (name, module) in &self.modules {
            let mut found = |path: &[String], passes_on: bool| {
                let Some(mut path) = self.absolute(name, path) else { return };
                let is_glob = path.last().is_some_and(|last| last == "*");
                if is_glob || path.last().is_some_and(|last| last.starts_with('=')) {
                    path.pop();
                }
                let place = self.resolve(&path, 0);
                // A module that re-exports items of its own submodules does not import them. The module that uses the
                // re-export does.
                let is_facade = passes_on && place.module.starts_with(name);
                if place.module != *name && !is_facade && (place.is_item || is_glob) {
                    pairs.entry((name.clone(), place.module)).or_insert_with(|| path.join("::"));
                }
            };
            module.trees.iter().for_each(|(path, passes_on)| found(path, *passes_on));
            module.paths.iter().for_each(|path| found(path, false));
        }
        pairs
    }

    /// Returns every type and trait, with all modules that define one of that name.
    pub(super) fn types(&self) -> BTreeMap<&str, Vec<String>> {
        let mut types = BTreeMap::<_, Vec<_>>::new();
        for (name, module) in &self.modules {
            for item in &module.types {
                types.entry(item.as_str()).or_default().push(name.join("::"));
            }
        }
        types
    }

    /// Returns the groups of modules that import each other, directly or through others.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let pairs = self.pairs();
        let names: Vec<_> = self.modules.keys().collect();
        let index = |name: &Name| names.iter().position(|known| *known == name).unwrap();
        let graph: DiGraphMap<usize, ()> =
            pairs.keys().map(|(from, to)| (index(from), index(to), ())).collect();
        let circles = tarjan_scc(&graph).into_iter().filter(|part| part.len() > 1);
        let named = |part: Vec<usize>| {
            let mut modules: Vec<_> = part.into_iter().map(|at| names[at].join("::")).collect();
            modules.sort();
            modules
        };
        let mut circles: Vec<_> = circles.map(named).collect();
        circles.sort();
        circles
    }
}

/// Returns the crates that a file names in its `use` trees and paths, and whatever else a path begins with there.
pub(crate) fn crates_named(text: &str) -> BTreeSet<String> {
    let Module { trees, paths, .. } = Module::of(syn::parse_file(text).unwrap());
    let paths = trees.into_iter().map(|(path, _)| path).chain(paths);
    paths.filter_map(|path| path.into_iter().next()).collect()
}

/// Returns the string literals in the methods of this name.
pub(crate) fn texts_of(text: &str, function: &str) -> Vec<String> {
    struct Texts<'a>(&'a str, Vec<String>);
    impl VisitMut for Texts<'_> {
        fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
            if item.sig.ident == self.0 {
                self.visit_block_mut(&mut item.block);
            }
        }

        fn visit_lit_str_mut(&mut self, text: &mut syn::LitStr) {
            self.1.push(text.value());
        }
    }
    let mut texts = Texts(function, Vec::new());
    for item in &mut syn::parse_file(text).unwrap().items {
        if let Item::Impl(item) = item {
            texts.visit_item_impl_mut(item);
        }
    }
    texts.1
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

impl Module {
    fn of(mut file: syn::File) -> Self {
        WithoutTests.visit_file_mut(&mut file);
        let mut trees = TakeUses::default();
        trees.visit_file_mut(&mut file);
        let types = file.items.iter().filter(|item| is_type(item)).flat_map(names_of).collect();
        let items = file.items.iter().flat_map(names_of).collect();
        let mut paths = Vec::new();
        collect_paths(file.into_token_stream(), &mut paths);
        Self { trees: trees.0, items, types, paths, ..Self::default() }
    }
}

fn names_of(item: &Item) -> Vec<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => return item.ident.iter().map(ToString::to_string).collect(),
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Mod(item) if item.content.is_some() => &item.ident,
        _ => return Vec::new(),
    };
    vec![ident.to_string()]
}

fn is_type(item: &Item) -> bool {
    matches!(item, Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_))
}

/// Removes code that is compiled for unit tests only.
struct WithoutTests;

impl WithoutTests {
    fn is_test(attributes: &[Attribute]) -> bool {
        attributes.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().contains("test")
        })
    }
}

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        file.items.retain(|item| !is_for_tests(item));
        syn::visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        item.items.retain(|item| match item {
            syn::ImplItem::Fn(item) => !Self::is_test(&item.attrs),
            syn::ImplItem::Const(item) => !Self::is_test(&item.attrs),
            _ => true,
        });
        syn::visit_mut::visit_item_impl_mut(self, item);
    }
}

fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return false,
    };
    WithoutTests::is_test(attributes)
}

/// Removes every `use`, wherever it is, and collects its paths.
#[derive(Default)]
struct TakeUses(Vec<(Vec<String>, bool)>);

impl VisitMut for TakeUses {
    fn visit_item_use_mut(&mut self, item: &mut ItemUse) {
        let passes_on = !matches!(item.vis, Visibility::Inherited);
        leaves(&item.tree, &mut Vec::new(), &mut |path| self.0.push((path, passes_on)));
        let nothing = syn::UseGroup { brace_token: Default::default(), items: Default::default() };
        item.tree = UseTree::Group(nothing);
    }
}

fn leaves(tree: &UseTree, prefix: &mut Vec<String>, found: &mut impl FnMut(Vec<String>)) {
    let mut with = |last: &[String]| found(prefix.iter().chain(last).cloned().collect());
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            leaves(&path.tree, prefix, found);
            prefix.pop();
        }
        UseTree::Name(name) if name.ident == "self" => with(&[]),
        UseTree::Name(name) => with(&[name.ident.to_string()]),
        UseTree::Rename(rename) => with(&[rename.ident.to_string(), format!("={}", rename.rename)]),
        UseTree::Glob(_) => with(&["*".to_owned()]),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, prefix, found)),
    }
}

/// Collects every `a::b` of the tokens. Tokens inside macros count, too, although their meaning is unknown until they
/// are expanded.
fn collect_paths(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let mut end = |path: &mut Vec<String>| {
        if path.len() > 1 {
            found.push(std::mem::take(path));
        }
        path.clear();
    };
    let mut groups = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    end(&mut path);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                groups.push(group.stream());
                end(&mut path);
                colons = 0;
            }
            _ => {
                end(&mut path);
                colons = 0;
            }
        }
    }
    end(&mut path);
    groups.into_iter().for_each(|group| collect_paths(group, found));
}
