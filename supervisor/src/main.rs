//! temp
use nano_supervisor::{config::*, log::Logs, serve};
use std::{sync::Arc, time::Duration, path::PathBuf};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "worker" {
        nano_worker::run(&nano_worker::WorkerArgs { app: args[3].clone(), connections: args[5].parse().unwrap() });
    }
    let s = Duration::from_secs;
    let mut apps = vec![];
    for a in &args[2..] {
        let (name, rest) = a.split_once('=').unwrap();
        let (path, port) = rest.split_once(':').unwrap();
        apps.push(AppSpec { name: AppName(Arc::from(name)), root: PathBuf::from(path).canonicalize().unwrap(), entry: "index.js".into(), listen: Listen { host: None, port: port.parse().unwrap() }, hosts: vec![], env: Default::default(),
          limits: AppLimits { request_timeout: s(30), queue_timeout: s(5), start_timeout: s(10), max_in_flight: 2048, max_body: 128<<20, heap: 128<<20, watchdog: s(5), hung_timeout: s(10) }, restart: RestartPolicy::default(), fatal_uncaught: false });
    }
    let log = LogSettings { format: LogFormat::Text, level: LogLevel::Info, access_log: std::env::var("ACCESS").is_ok() };
    let config = Config { server: ServerSettings { io_threads: 1, log: log.clone(), control: None, drain_timeout: s(30), header_read_timeout: s(10), idle_timeout: s(75), max_uri: 8192, max_header: 32768, max_headers: 100, max_connections: 10000, forwarded: ForwardedPolicy::Replace }, apps };
    let logs = Logs::start(&log);
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap();
    let r = rt.block_on(serve::serve(config, &logs));
    println!("{r:?}");
}
