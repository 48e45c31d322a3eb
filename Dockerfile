# Builds nano-supervisor and the image that runs it; docs/container.md says how to use it.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package nano-supervisor
RUN scripts/container rootfs /rootfs

# From scratch, not debian-slim: the binary needs three libraries, the loader and CA roots. An app that breaks out of its
# engine finds no shell and no tools, and an image with no packages has none to patch: a rebuild renews all of it.
FROM scratch
COPY --from=build /rootfs /
# scripts/container takes every line from here on, so that both ways make the same image.
USER 10001:10001
VOLUME /run/nano
EXPOSE 8080
STOPSIGNAL SIGTERM
# Where `serve` has its control socket unless told otherwise, and where the health check and `docker exec` look for it.
ENV NANO_SUPERVISOR_CONTROL=/run/nano/control.sock
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/nano-supervisor", "health"]
ENTRYPOINT ["/usr/local/bin/nano-supervisor"]
CMD ["serve", "--apps-dir", "/apps"]
