//! Drivers of databases from npm, against real servers: PostgreSQL, MariaDB and Redis as Debian has them. Skipped with a message where
//! a server or npm is missing. And `hyperdrive` of wrangler files, which gives drivers what they need.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::TestSupervisor;
use crate::harness::databases::{mariadb, postgresql, redis};
use crate::harness::{App, Origin, npm};

/// Serves the app with the connection string of a database in `env.DB`.
async fn serve(database: &str) -> Option<TestSupervisor> {
    let packages = npm::installed()?;
    let settings = format!(
        "entry = 'apps/databases.js'\nenv = {{ DB = '{database}' }}\nstart_timeout = '30s'\nwatchdog = '20s'\n\
         hung_timeout = '1m'"
    );
    Some(TestSupervisor::plan().app(App::at("app", &packages).set(&settings)).start().await)
}

async fn used(supervisor: &TestSupervisor, driver: &str) -> Value {
    supervisor.get("app", &format!("/{driver}")).await.json()
}

#[tokio::test]
async fn pg_and_postgres_talk_to_postgresql() {
    let Some(server) = postgresql().await else { return };
    let Some(supervisor) = serve(&server.url).await else { return };
    assert_eq!(used(&supervisor, "pg").await, json!([[{ "id": 1, "text": "ä" }], 1_000_000, "42703"]));
    assert_eq!(used(&supervisor, "pg-pool").await, json!([2, 4, 6, 8, 10]));
    assert_eq!(used(&supervisor, "pg-wrong").await, json!("28P01"));
    assert_eq!(used(&supervisor, "postgres").await, json!(["ä", 1000]));
}

#[tokio::test]
async fn mysql2_talks_to_mariadb() {
    let Some(server) = mariadb().await else { return };
    let Some(supervisor) = serve(&server.url).await else { return };
    let expected = json!([[{ "id": 1, "text": "ä" }], 1_000_000, "ER_BAD_FIELD_ERROR"]);
    assert_eq!(used(&supervisor, "mysql2").await, expected);
    assert_eq!(used(&supervisor, "mysql2-pool").await, json!([2, 4, 6, 8, 10]));
}

#[tokio::test]
async fn ioredis_and_redis_talk_to_redis() {
    let Some(server) = redis().await else { return };
    let Some(supervisor) = serve(&server.url).await else { return };
    assert_eq!(used(&supervisor, "ioredis").await, json!(["1", 2, [[null, "2"], [null, null]]]));
    assert_eq!(used(&supervisor, "redis").await, json!(1_000_000));
}

#[tokio::test]
async fn hyperdrive_tells_an_app_how_its_database_is_reached() {
    let server = Origin::raw(|mut stream, _| async move {
        let _ = stream.write_all(b"hello").await;
    })
    .await;
    let wrangler = format!(
        "main = 'index.js'
         [[hyperdrive]]
         binding = 'DB'
         id = '1'
         localConnectionString = 'postgres://us%40er:pass%2Fword@{}/data?sslmode=disable'
         [[hyperdrive]]
         binding = 'OTHER'
         id = '2'
         localConnectionString = 'postgres://unused'
         [[hyperdrive]]
         binding = 'LOST'
         id = '3'",
        server.address
    );
    let index = "export default { async fetch(_, env) {
        const parts = ({ connectionString, host, port, user, password, database }) =>
          [connectionString, host, port, user, password, database];
        let lost;
        try { lost = env.LOST.host } catch (error) { lost = error.message }
        const { value } = await env.DB.connect().readable.getReader().read();
        return Response.json([parts(env.DB), parts(env.OTHER), lost, new TextDecoder().decode(value), process.env.OTHER ?? null]);
      } }";
    let app =
        App::new("app", index).file("wrangler.toml", &wrangler).set("env = { OTHER = 'mysql://a:b@c/d' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let (address, port) = (server.address, server.address.port());
    let text = format!("postgres://us%40er:pass%2Fword@{address}/data?sslmode=disable");
    let expected = json!([
        [text, "127.0.0.1", port, "us@er", "pass/word", "data"],
        ["mysql://a:b@c/d", "c", 3306, "a", "b", "d"],
        "env.LOST has no connection string: set the variable or secret LOST of the app to one, such as \
         postgres://user:password@host:5432/database, or localConnectionString in the wrangler file",
        "hello",
        null
    ]);
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}
