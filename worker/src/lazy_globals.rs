//! Interfaces that load when the app first touches them, as the data properties that Web IDL wants on the global.
//!
//! The table in `globals.js` lists them. JavaScript cannot define a property that has a value only when it is
//! read; V8 can, and replaces it by an ordinary data property at that moment. If loading throws, the reader gets the
//! exception, and the next one tries again.

use deno_core::v8;

/// V8 refuses to define the properties: our fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LazyGlobalsError {
    #[error("the lazy interfaces cannot be listed")]
    NotListed,
    /// The index of the interface in the table.
    #[error("lazy interface {0} cannot be defined")]
    NotDefined(u32),
}

/// Defines a property of `global` for every key of `interfaces`; `load` returns the interface of a given name.
pub(crate) fn install(
    scope: &mut v8::PinScope<'_, '_>,
    global: v8::Local<'_, v8::Object>,
    interfaces: v8::Local<'_, v8::Object>,
    load: v8::Local<'_, v8::Function>,
) -> Result<(), LazyGlobalsError> {
    let names = interfaces.get_own_property_names(scope, v8::GetPropertyNamesArgs::default());
    let names = names.ok_or(LazyGlobalsError::NotListed)?;
    for index in 0..names.length() {
        let name = names.get_index(scope, index).and_then(|name| v8::Local::<v8::Name>::try_from(name).ok());
        let defined = name.and_then(|name| {
            global.set_lazy_data_property_with_data(
                scope,
                name,
                read,
                load.into(),
                v8::PropertyAttribute::DONT_ENUM,
                v8::SideEffectType::HasNoSideEffect,
                v8::SideEffectType::HasSideEffect,
            )
        });
        if defined != Some(true) {
            return Err(LazyGlobalsError::NotDefined(index));
        }
    }
    Ok(())
}

/// Called by V8 when a property is first read.
fn read(
    scope: &mut v8::PinScope<'_, '_>,
    name: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut value: v8::ReturnValue<'_, v8::Value>,
) {
    let Ok(load) = v8::Local::<v8::Function>::try_from(arguments.data()) else { return };
    let receiver = v8::undefined(scope).into();
    // Without a result, the exception goes to the reader.
    if let Some(interface) = load.call(scope, receiver, &[name.into()]) {
        value.set(interface);
    }
}
