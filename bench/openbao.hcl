# What `cargo xtask bench` starts OpenBao with; words in capitals are replaced.
storage "raft" {
  path    = "HOME/raft"
  node_id = "bench"
}

listener "tcp" {
  address       = "127.0.0.1:PORT"
  tls_cert_file = "HOME/cert.pem"
  tls_key_file  = "HOME/key.pem"
}

audit "file" "file" {
  options = {
    file_path = "HOME/audit.log"
  }
}

api_addr     = "https://127.0.0.1:PORT"
cluster_addr = "https://127.0.0.1:CLUSTER_PORT"
log_level    = "warn"
