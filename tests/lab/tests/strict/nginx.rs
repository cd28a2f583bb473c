//! A reverse proxy in front of the app: kept connections, retries only as by default, so never of a POST that was sent.
//! It keeps idle ones for less than the linger: with longer ones a request may cross a FIN, and that is a 502.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Stage};

/// Where it listens.
pub(crate) const PORT: u16 = 8080;

const CONFIG: &str = "worker_processes 1;
pid /run/proxy.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    upstream app { server 127.0.0.1:3000; keepalive 32; keepalive_timeout 250ms; }
    server {
        listen 127.0.0.1:8080;
        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }
    }
}
";

/// Starts it beside the app.
pub(crate) fn start(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/etc/proxy.conf", CONFIG)?;
    let nginx = ["nginx", "-c", "/etc/proxy.conf", "-g", "daemon off;"];
    host.run_ok(&[&["systemd-run", "--quiet", "--unit=proxy"], &nginx[..]].concat())?;
    eventually(Duration::from_secs(10), || {
        ensure!(
            std::net::TcpStream::connect(("127.0.0.1", PORT)).is_ok(),
            "the proxy does not listen"
        );
        Ok(())
    })
}
