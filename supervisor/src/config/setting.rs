//! A setting as it is declared: how it is read, how it is shown, and what the documentation says of it.
//!
//! Everything else is made of the declarations: the struct and its defaults, what the file and flags may say, the help, the JSON
//! Schema, the tables of `docs/configuration.md`, what a reload cannot change, and the limits that `status` shows.

pub(crate) mod json;
pub(crate) mod kinds;
pub(crate) mod units;

use clap::builder::PossibleValue;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::config::document::section::Section;
use crate::config::errors::{Flaw, Place, Problems};

/// Declares a group of settings, each as `name: Type = default, kind;` below its documentation:
///
/// ```ignore
/// settings! {
///     /// Settings of the supervisor itself.
///     pub(crate) struct ServerSettings {
///         /// Threads that serve connections.
///         io_threads: usize = 4, whole(1..=256).flag("N").fixed();
///     }
/// }
/// ```
///
/// The first sentence is the help of the flag, all of them are the documentation. A kind is one of [`kinds`], with what else there is
/// to the setting. What is declared in `with { ... }` are fields of the struct that are no settings.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub(crate) struct $group:ident {
            $($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $setting:expr;)+
        }
        $(with {
            $($(#[doc = $other_doc:literal])+ $other:ident: $other_type:ty = $other_default:expr;)+
        })?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $group {
            $($(#[doc = $doc])+ pub(crate) $name: $type,)+
            $($($(#[doc = $other_doc])+ pub(crate) $other: $other_type,)+)?
        }

        impl Default for $group {
            fn default() -> Self {
                Self {
                    $($name: $default,)+
                    $($($other: $other_default,)+)?
                }
            }
        }

        impl $crate::config::setting::SettingGroup for $group {
            fn fields() -> &'static [$crate::config::setting::SettingField<Self>] {
                static FIELDS: std::sync::LazyLock<Vec<$crate::config::setting::SettingField<$group>>> =
                    std::sync::LazyLock::new(|| {
                        let defaults = $group::default();
                        vec![$($setting.field(
                            stringify!($name),
                            &[$($doc),+],
                            &defaults,
                            |group| &group.$name,
                            |group| &mut group.$name,
                        ),)+]
                    });
                &FIELDS
            }
        }
    };
}

pub(crate) use settings;

/// A setting, whatever its type.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// Sentences, of which the first is enough for the help.
    pub(crate) doc: String,
    pub(crate) by_default: ByDefault,
    pub(crate) flag: Option<Flag>,
    /// The name of its flag, if it has one.
    pub(crate) flag_name: String,
    /// The words it is one of, if it is.
    pub(crate) choices: Vec<PossibleValue>,
    /// Whether it takes a restart of the supervisor to change it.
    pub(crate) is_fixed: bool,
    /// A value, if the section is useless without one.
    pub(crate) example: Option<&'static str>,
    /// The JSON Schema of its values.
    pub(crate) schema: Json,
}

/// What a setting has if nothing is said of it.
#[derive(Debug)]
pub(crate) enum ByDefault {
    /// Always this value.
    Value(Json),
    /// What the machine or another setting makes of it, in words.
    Told(&'static str),
}

/// The flag of a setting. It is called as the setting is.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    /// What stands for its value in the help; none for one without a value, which means `true`.
    pub(crate) value: Option<&'static str>,
    /// What it means without a value, if it may be without.
    pub(crate) bare: Option<&'static str>,
    /// The environment variable in its place.
    pub(crate) variable: Option<&'static str>,
    /// Another flag, which means `false`, and its help.
    pub(crate) off: Option<(&'static str, &'static str)>,
}

impl About {
    /// All of its documentation as plain text: links are their labels.
    pub(crate) fn plain(&self) -> String {
        let mut text = String::new();
        let mut rest = &*self.doc;
        while let Some((before, label, after)) = rest.split_once('[').and_then(|(before, link)| {
            let (label, target) = link.split_once("](")?;
            Some((before, label, target.split_once(')')?.1))
        }) {
            text.push_str(before);
            if label.ends_with(".md") {
                text.push_str("docs/");
            }
            text.push_str(label);
            rest = after;
        }
        text + rest
    }

    /// The first sentence of its documentation, without the dot.
    pub(crate) fn summary(&self) -> &str {
        self.doc.split_once(". ").map_or(self.doc.trim_end_matches('.'), |(first, _)| first)
    }
}

/// How a setting is declared besides its name, type, default and documentation. Made by one of [`kinds`].
pub(crate) struct Setting<T> {
    /// What its values are, in messages.
    noun: &'static str,
    read: Box<Read<T>>,
    show: Box<Show<T>>,
    about: About,
}

/// The value that a section has under a name, over the one there is so far. What is wrong is recorded.
type Read<T> = dyn Fn(&Section<'_>, &str, Option<&T>, &mut Problems) -> Option<T> + Send + Sync;

/// A value as the file would have it.
type Show<T> = dyn Fn(&T) -> Json + Send + Sync;

impl<T: 'static> Setting<T> {
    pub(crate) fn new(
        noun: &'static str,
        schema: Json,
        read: impl Fn(&Section<'_>, &str, Option<&T>, &mut Problems) -> Option<T> + Send + Sync + 'static,
        show: impl Fn(&T) -> Json + Send + Sync + 'static,
    ) -> Self {
        let about = About {
            name: "",
            doc: String::new(),
            by_default: ByDefault::Value(Json::Null),
            flag: None,
            flag_name: String::new(),
            choices: Vec::new(),
            is_fixed: false,
            example: None,
            schema,
        };
        Self { noun, read: Box::new(read), show: Box::new(show), about }
    }

    /// The words it is one of.
    pub(crate) fn choices(self, choices: Vec<PossibleValue>) -> Self {
        self.with(|about| about.choices = choices)
    }

    /// How the documentation names the default, in place of its value.
    pub(crate) fn by_default(self, text: &'static str) -> Self {
        self.with(|about| about.by_default = ByDefault::Told(text))
    }

    /// A change of it takes effect when the supervisor is restarted; of all others, at a reload.
    pub(crate) fn fixed(self) -> Self {
        self.with(|about| about.is_fixed = true)
    }

    /// The section is useless without it. Such a value is proposed.
    pub(crate) fn required(self, example: &'static str) -> Self {
        self.by_default("required").with(|about| about.example = Some(example))
    }

    /// It has a flag of its name, whose value is called so.
    pub(crate) fn flag(self, value: &'static str) -> Self {
        self.with(|about| about.flag = Some(Flag { value: Some(value), ..Flag::default() }))
    }

    /// It has a flag of its name, without a value, that means `true`.
    pub(crate) fn switch_flag(self) -> Self {
        self.with(|about| about.flag = Some(Flag::default()))
    }

    /// What its flag means without a value.
    pub(crate) fn bare(self, bare: &'static str) -> Self {
        self.with_flag(|flag| flag.bare = Some(bare))
    }

    /// Where its flag is not given, this environment variable is its value.
    pub(crate) fn variable(self, variable: &'static str) -> Self {
        self.with_flag(|flag| flag.variable = Some(variable))
    }

    /// Another flag, without a value, means `false`.
    pub(crate) fn off_flag(self, name: &'static str, help: &'static str) -> Self {
        self.with_flag(|flag| flag.off = Some((name, help)))
    }

    fn with(mut self, change: impl FnOnce(&mut About)) -> Self {
        change(&mut self.about);
        self
    }

    fn with_flag(self, change: impl FnOnce(&mut Flag)) -> Self {
        self.with(|about| about.flag.as_mut().map_or((), change))
    }

    /// The same, or none. Nobody can write none: it is what is there if nothing is said.
    pub(crate) fn optional(self) -> Setting<Option<T>> {
        let Self { noun, read, show, about } = self;
        let read = move |section: &Section<'_>, name: &str, current: Option<&Option<T>>, problems: &mut _| {
            read(section, name, current.and_then(Option::as_ref), problems).map(Some)
        };
        let show = move |value: &Option<T>| value.as_ref().map_or(Json::Null, &show);
        Setting { about, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// As [`Self::optional`], with the place where it was written.
    pub(crate) fn placed(self) -> Setting<Option<(T, Place)>> {
        let Self { noun, read, show, about } = self;
        let read = move |section: &Section<'_>, name: &str, _: Option<&_>, problems: &mut _| {
            read(section, name, None, problems).map(|value| Some((value, section.place(name))))
        };
        let show =
            move |value: &Option<(T, Place)>| value.as_ref().map_or(Json::Null, |(value, _)| show(value));
        Setting { about, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// The same, or `false` for none.
    pub(crate) fn or_false(self) -> Setting<Option<T>> {
        let Self { noun, read, show, about } = self;
        let read = move |section: &Section<'_>,
                         name: &str,
                         current: Option<&Option<T>>,
                         problems: &mut Problems| {
            match section.value(name) {
                Some(DeValue::Boolean(false)) => Some(None),
                Some(DeValue::Boolean(true)) => {
                    let flaw =
                        Flaw::new(format!("true is no {noun}"), format!("write a {noun}, or false for none"));
                    problems.add(section.place(name), flaw);
                    None
                }
                _ => read(section, name, current.and_then(Option::as_ref), problems).map(Some),
            }
        };
        let show = move |value: &Option<T>| value.as_ref().map_or(json!(false), &show);
        let schema = json!({ "anyOf": [about.schema, { "const": false }] });
        Setting { about: About { schema, ..about }, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// The same, or a word that stands for a part of it.
    pub(crate) fn or_word<W: 'static>(self, word: Setting<W>, apply: fn(&mut T, W)) -> Self
    where
        T: Clone + Default,
    {
        let Self { noun, read, show, about } = self;
        let schema = json!({ "anyOf": [word.about.schema, about.schema] });
        let read = move |section: &Section<'_>, name: &str, current: Option<&T>, problems: &mut Problems| {
            if !section.value(name).is_some_and(DeValue::is_str) {
                return read(section, name, current, problems);
            }
            let word = (word.read)(section, name, None, problems)?;
            let mut value = current.cloned().unwrap_or_default();
            apply(&mut value, word);
            Some(value)
        };
        Setting { about: About { schema, ..about }, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// The declaration as a field of `S`.
    pub(crate) fn field<S: 'static>(
        self,
        name: &'static str,
        doc: &[&str],
        defaults: &S,
        get: fn(&S) -> &T,
        get_mut: fn(&mut S) -> &mut T,
    ) -> SettingField<S>
    where
        T: Clone + PartialEq,
    {
        let Self { read, show, mut about, .. } = self;
        about.name = name;
        about.flag_name = name.replace('_', "-");
        about.doc = doc.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        if matches!(about.by_default, ByDefault::Value(_)) {
            about.by_default = ByDefault::Value(show(get(defaults)));
        }
        SettingField {
            about,
            read: Box::new(move |group, section, problems| {
                if let Some(value) = read(section, name, Some(get(group)), problems) {
                    *get_mut(group) = value;
                }
            }),
            show: Box::new(move |group| show(get(group))),
            keep: Box::new(move |group, running| {
                let differs = get(group) != get(running);
                get_mut(group).clone_from(get(running));
                differs
            }),
        }
    }
}

/// A setting of the group `S`.
pub(crate) struct SettingField<S> {
    pub(crate) about: About,
    read: Box<ReadInto<S>>,
    show: Box<Show<S>>,
    keep: Box<Keep<S>>,
}

/// Takes over what a section says of one setting.
type ReadInto<S> = dyn Fn(&mut S, &Section<'_>, &mut Problems) + Send + Sync;

/// Gives one setting the value that another group has; whether that is a change.
type Keep<S> = dyn Fn(&mut S, &S) -> bool + Send + Sync;

/// Settings that are declared together.
pub(crate) trait SettingGroup: Clone + Default + 'static {
    /// Each of them, in the order in which they are documented.
    fn fields() -> &'static [SettingField<Self>];

    /// Takes over what a section says.
    fn read(&mut self, section: &Section<'_>, problems: &mut Problems) {
        for SettingField { about, read, .. } in Self::fields() {
            if section.has(about.name) {
                read(self, section, problems);
            } else if let Some(example) = about.example {
                let fix = format!("add a line such as {} = {example}", about.name);
                problems.add(section.place(about.name), Flaw::new("is missing", fix));
            }
        }
    }

    /// Each by its name, as the file would have it.
    fn in_force(&self) -> Vec<(&'static str, Json)> {
        Self::fields().iter().map(|field| (field.about.name, (field.show)(self))).collect()
    }

    /// Restores what cannot change while the supervisor runs; the names of those for which that matters.
    fn keep_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let fixed = Self::fields().iter().filter(|field| field.about.is_fixed);
        fixed.filter(|field| (field.keep)(self, running)).map(|field| field.about.name).collect()
    }

    /// What is documented of each.
    fn about() -> impl Iterator<Item = &'static About> {
        Self::fields().iter().map(|field| &field.about)
    }

    /// The name of each.
    fn names() -> impl Iterator<Item = &'static str> {
        Self::about().map(|about| about.name)
    }
}
