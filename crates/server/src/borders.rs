//! The borders of the listeners that run: what HUP puts in force without dropping a connection.

use crate::config::{Border, Config};
use crate::listen::Listener;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use strongroom_gate::{Nacl, Nacls};

/// One a listener, in the order in which they were opened.
pub(crate) struct Borders {
    running: Vec<Running>,
}

struct Running {
    name: String,
    border: Arc<ArcSwap<Border>>,
    nacl: ArcSwapOption<Nacl>,
}

impl Borders {
    /// Of listeners that were bound as the configuration says, and will be served in this order.
    pub(crate) fn of(config: &Config, bound: &[Listener]) -> Self {
        let running = bound.iter().map(|listener| Running {
            name: listener.name().to_owned(),
            border: listener.border(),
            nacl: ArcSwapOption::empty(),
        });
        let borders = Self { running: running.collect() };
        borders.reload(config);
        borders
    }

    /// The network ACLs now in force, by entrance.
    pub(crate) fn nacls(&self) -> Nacls {
        Nacls::new(self.running.iter().map(|running| running.nacl.load_full()).collect())
    }

    /// Takes over what a configuration says of the listeners that run. One that it does not name keeps what it has.
    pub(crate) fn reload(&self, config: &Config) {
        for running in &self.running {
            let Some(listener) = config.listeners.iter().find(|listener| listener.name == running.name)
            else {
                continue;
            };
            running.border.store(Arc::new(listener.border.clone()));
            running.nacl.store(config.nacl_of(listener));
        }
    }
}
