//! An entry is written once.

async fn twice(entry: strongroom_gate::Entry) {
    let _ = entry.finish(strongroom_gate::Verdict::Done).await;
    let _ = entry.finish(strongroom_gate::Verdict::Done).await;
}

fn main() {}
