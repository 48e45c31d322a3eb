//! The declaration of a setting: how it is read, how it is shown, and how it is documented.
//!
//! Everything else is derived from the declarations: the struct and its defaults, what the file and flags accept, the help, the
//! JSON Schema, the tables of `docs/configuration.md`, what a reload cannot change, and the limits that `status` shows.

pub(crate) mod json;
pub(crate) mod kinds;
pub(crate) mod units;

use clap::builder::PossibleValue;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::config::document::section::Section;
use crate::config::errors::{Flaw, Place, Problems};

/// Declares a group of settings. Each is written as `name: Type = default, kind;` below its documentation:
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
/// The first sentence is the help of the flag; all of them are the documentation. A kind is one of [`kinds`], followed by further
/// properties of the setting. `with { ... }` declares fields of the struct that are not settings.
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

/// The description of a setting, independent of its type.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// The documentation. Its first sentence is the help of the flag.
    pub(crate) doc: String,
    pub(crate) by_default: ByDefault,
    pub(crate) flag: Option<Flag>,
    /// The name of its flag, if it has one.
    pub(crate) flag_name: String,
    /// The words that are valid values, if the setting is a choice.
    pub(crate) choices: Vec<PossibleValue>,
    /// Whether a change needs a restart of the supervisor.
    pub(crate) is_fixed: bool,
    /// An example value, if the setting is required.
    pub(crate) example: Option<&'static str>,
    /// The JSON Schema of its values.
    pub(crate) schema: Json,
}

/// The default of a setting.
#[derive(Debug)]
pub(crate) enum ByDefault {
    /// The same value everywhere, as JSON.
    Value(Json),
    /// A default that depends on the machine or on another setting, in words.
    Told(&'static str),
}

/// The flag of a setting. It has the name of the setting.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    /// The placeholder of its value in the help. `None` for a flag without a value, which means `true`.
    pub(crate) value: Option<&'static str>,
    /// The value that the flag has when given without one, if that is allowed.
    pub(crate) bare: Option<&'static str>,
    /// The environment variable that is used if the flag is not given.
    pub(crate) variable: Option<&'static str>,
    /// The name of another flag, which means `false`, and its help.
    pub(crate) off: Option<(&'static str, &'static str)>,
}

impl About {
    /// Returns the whole documentation as plain text. Links are replaced by their labels.
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

    /// Returns the first sentence of the documentation, without the dot.
    pub(crate) fn summary(&self) -> &str {
        self.doc.split_once(". ").map_or(self.doc.trim_end_matches('.'), |(first, _)| first)
    }
}

/// The part of a declaration besides name, type, default and documentation. Created by one of [`kinds`].
pub(crate) struct Setting<T> {
    /// What a value is called in messages.
    noun: &'static str,
    read: Box<Read<T>>,
    show: Box<Show<T>>,
    about: About,
}

/// Reads the value of the field with this name. Gets the current value, which a table only changes in part. Records problems.
type Read<T> = dyn Fn(&Section<'_>, &str, Option<&T>, &mut Problems) -> Option<T> + Send + Sync;

/// Shows a value as it would be written in the file.
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

    /// Sets the words that are valid values.
    pub(crate) fn choices(self, choices: Vec<PossibleValue>) -> Self {
        self.with(|about| about.choices = choices)
    }

    /// Sets how the documentation describes the default, in place of its value.
    pub(crate) fn by_default(self, text: &'static str) -> Self {
        self.with(|about| about.by_default = ByDefault::Told(text))
    }

    /// Declares that a change takes effect only when the supervisor is restarted. All other settings change at a reload.
    pub(crate) fn fixed(self) -> Self {
        self.with(|about| about.is_fixed = true)
    }

    /// Declares that the setting is required. The example is suggested when it is missing.
    pub(crate) fn required(self, example: &'static str) -> Self {
        self.by_default("required").with(|about| about.example = Some(example))
    }

    /// Adds a flag with the name of the setting. `value` is the placeholder of its value.
    pub(crate) fn flag(self, value: &'static str) -> Self {
        self.with(|about| about.flag = Some(Flag { value: Some(value), ..Flag::default() }))
    }

    /// Adds a flag with the name of the setting and without a value, which means `true`.
    pub(crate) fn switch_flag(self) -> Self {
        self.with(|about| about.flag = Some(Flag::default()))
    }

    /// Sets the value that the flag has when given without one.
    pub(crate) fn bare(self, bare: &'static str) -> Self {
        self.with_flag(|flag| flag.bare = Some(bare))
    }

    /// Sets the environment variable that is used if the flag is not given.
    pub(crate) fn variable(self, variable: &'static str) -> Self {
        self.with_flag(|flag| flag.variable = Some(variable))
    }

    /// Adds another flag, without a value, that means `false`.
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

    /// Makes the setting optional. `None` cannot be written in the file; it is the value of a setting that is not given.
    pub(crate) fn optional(self) -> Setting<Option<T>> {
        let Self { noun, read, show, about } = self;
        let read = move |section: &Section<'_>, name: &str, current: Option<&Option<T>>, problems: &mut _| {
            read(section, name, current.and_then(Option::as_ref), problems).map(Some)
        };
        let show = move |value: &Option<T>| value.as_ref().map_or(Json::Null, &show);
        Setting { about, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// Like [`Self::optional`], and keeps the place where the value was written.
    pub(crate) fn placed(self) -> Setting<Option<(T, Place)>> {
        let Self { noun, read, show, about } = self;
        let read = move |section: &Section<'_>, name: &str, _: Option<&_>, problems: &mut _| {
            read(section, name, None, problems).map(|value| Some((value, section.place(name))))
        };
        let show =
            move |value: &Option<(T, Place)>| value.as_ref().map_or(Json::Null, |(value, _)| show(value));
        Setting { about, ..Setting::new(noun, Json::Null, read, show) }
    }

    /// Makes the setting optional. `false` in the file means `None`.
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

    /// Accepts a word as well, which sets a part of the value.
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

    /// Turns the declaration into a field of `S`.
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

/// Reads one setting from a section into the group.
type ReadInto<S> = dyn Fn(&mut S, &Section<'_>, &mut Problems) + Send + Sync;

/// Copies one setting from another group. Returns whether that changed it.
type Keep<S> = dyn Fn(&mut S, &S) -> bool + Send + Sync;

/// A group of settings that are declared together.
pub(crate) trait SettingGroup: Clone + Default + 'static {
    /// Returns the settings, in the order in which they are documented.
    fn fields() -> &'static [SettingField<Self>];

    /// Reads the settings that a section gives, and records required ones that are missing.
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

    /// Returns each setting with its value as it would be written in the file.
    fn in_force(&self) -> Vec<(&'static str, Json)> {
        Self::fields().iter().map(|field| (field.about.name, (field.show)(self))).collect()
    }

    /// Restores the settings that cannot change while the supervisor runs. Returns the names of those that were different.
    fn keep_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let fixed = Self::fields().iter().filter(|field| field.about.is_fixed);
        fixed.filter(|field| (field.keep)(self, running)).map(|field| field.about.name).collect()
    }

    /// Returns the description of each setting.
    fn about() -> impl Iterator<Item = &'static About> {
        Self::fields().iter().map(|field| &field.about)
    }

    /// Returns the name of each setting.
    fn names() -> impl Iterator<Item = &'static str> {
        Self::about().map(|about| about.name)
    }
}
