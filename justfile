# The everyday commands, one each. CONTRIBUTING.md lists them too, for whoever has no `just`.

[private]
default:
    @{{ just_executable() }} --list --unsorted

# Look for errors, the fastest way
check:
    cargo check --workspace --all-targets --locked

# Run every test
test:
    cargo test --workspace --locked

# Run the integration tests whose name contains NAME
test-one NAME:
    cargo test --workspace --test integration --locked -- {{ NAME }}

# Run the lints; every warning is an error
lint:
    cargo clippy --workspace --all-targets --locked -- --deny warnings

# Build the documentation of the code; every broken link is an error
docs:
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --lib --examples --no-deps --document-private-items --locked

# Write the tables of settings in the documents as the settings are declared
tables:
    UPDATE_DOCS=1 cargo test --workspace --lib --locked -- the_documents_are_what_is_declared

# Check licenses, sources and versions of the dependencies
deny:
    cargo deny --locked check bans licenses sources

# Fuzz the protocol: its decoder, and a connection with a hostile peer
fuzz *SECONDS:
    scripts/fuzz {{ SECONDS }}

# Run 28 apps for an hour while everything goes wrong
soak *OPTIONS:
    scripts/soak {{ OPTIONS }}

# Build apps with frameworks by their own commands, serve them, and use them in a browser
frameworks *NAMES:
    scripts/frameworks {{ NAMES }}

# Use every package of tests/libraries here and in workerd
libraries *GROUPS:
    scripts/libraries {{ GROUPS }}

# Measure what crashes cost the other requests
crash-cost *OPTIONS:
    scripts/crash-cost {{ OPTIONS }}

# Measure speed and memory beside other servers
bench *OPTIONS:
    scripts/bench {{ OPTIONS }}

# Run the gate that every change must pass
ci:
    .ci/run
