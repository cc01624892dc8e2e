//! Initialisation: the keys are shown once, and hold when someone says that they are kept.

use super::keys::WipedTexts;
use super::{Session, keys};
use crate::args::InitArgs;
use crate::client::{Ask, Client, ClientError};
use crate::error::{CliError, UsageError};
use crate::{context, output, prompt, state};
use std::path::{Path, PathBuf};
use strongroom_api::{ConfirmInitRequest, Endpoint, INIT_TOKEN_HEADER, InitRequest, NewUnlockKeys};
use strongroom_crypto::{
    PrivateKey, PublicKey, generate_ed25519_pkcs8, private_key_pem, public_key_pem, sha256,
};
use strongroom_secret::SecretBytes;

/// Root's key pair, as far as it is known here.
struct RootKeys {
    public: String,
    private_file: Option<PathBuf>,
}

impl RootKeys {
    /// A refused initialisation leaves no key behind; one whose outcome is unknown does.
    fn given_up(&self, error: ClientError) -> ClientError {
        if let (Some(path), Some(_)) = (&self.private_file, error.code()) {
            // an orphaned key opens nothing: if it stays, no harm is done
            let _ = std::fs::remove_file(path);
        }
        error
    }
}

pub(super) async fn init(session: &Session, args: &InitArgs) -> Result<(), CliError> {
    if args.threshold > args.num_keys {
        return Err(
            UsageError::ThresholdTooHigh { threshold: args.threshold, num_keys: args.num_keys }.into()
        );
    }
    let proof = args.init_token_file.as_deref().map(read_token).transpose()?;
    let installer = Installer::new(session, proof)?;
    if let Some(set) = &args.confirm {
        installer.confirm(set).await?;
        return installer.say_confirmed();
    }
    let root = root_keys(session, args.public_key.as_deref())?;
    let body =
        InitRequest { num_keys: args.num_keys, threshold: args.threshold, public_key: root.public.clone() };
    let answer = installer.client.ask(installer.ask(Endpoint::Init).json(&body)).await;
    let answer = answer.map_err(|error| root.given_up(error))?;
    let mut keys: NewUnlockKeys = answer.read()?;
    let result = installer.hand_over(&keys, &answer, &root, args.yes).await;
    strongroom_secret::wipe(&mut keys.unlock_keys);
    result
}

/// What an initialisation through the local socket made; it holds once it is confirmed.
pub(super) struct Installed {
    pub(super) keys: WipedTexts,
    pub(super) access_key_id: String,
    set_id: String,
}

/// Initialises for another program's sake: any one of the keys unlocks, and nothing is printed or remembered.
pub(super) async fn by_installer(
    session: &Session,
    num_keys: u8,
    public_key: &Path,
) -> Result<Installed, CliError> {
    let installer = Installer::new(session, None)?;
    let root = root_keys(session, Some(public_key))?;
    let body = InitRequest { num_keys, threshold: 1, public_key: root.public };
    let new: NewUnlockKeys = installer.client.ask(installer.ask(Endpoint::Init).json(&body)).await?.read()?;
    // as the original's clients take it
    let access_key_id = new.access_key_id.unwrap_or_default().replace('-', "");
    Ok(Installed { keys: WipedTexts(new.unlock_keys), access_key_id, set_id: new.set_id })
}

impl Installed {
    /// Confirms that the keys are kept.
    pub(super) async fn confirm(&self, session: &Session) -> Result<(), CliError> {
        Installer::new(session, None)?.confirm(&self.set_id).await
    }
}

/// The client that may initialise, and its proof.
struct Installer<'a> {
    session: &'a Session,
    client: Client,
    proof: Option<SecretBytes>,
}

impl<'a> Installer<'a> {
    /// With a token any address will do; without one only the local socket.
    fn new(session: &'a Session, proof: Option<SecretBytes>) -> Result<Self, CliError> {
        let client = match proof {
            Some(_) => session.client_without_token()?,
            None => session.installer()?,
        };
        Ok(Self { session, client, proof })
    }

    fn ask(&self, endpoint: Endpoint) -> Ask {
        let ask = Ask::of(endpoint);
        match &self.proof {
            Some(proof) => ask.secret_header(INIT_TOKEN_HEADER, proof),
            None => ask,
        }
    }

    async fn hand_over(
        &self,
        keys: &NewUnlockKeys,
        answer: &crate::client::Answer,
        root: &RootKeys,
        yes: bool,
    ) -> Result<(), CliError> {
        let out = self.session.out;
        if out.json() {
            answer.expose(output::raw_json)?;
        } else {
            keys::show(keys)?;
            let id = keys.access_key_id.as_deref().unwrap_or("unknown");
            output::line(&format!("Root's access key id: {id}"))?;
        }
        remember(self.session, keys, root)?;
        if !yes && !kept()? {
            output::note(&format!(
                "Not confirmed. When the keys are kept: strongroom init --confirm {}",
                keys.set_id
            ));
            return Ok(());
        }
        self.confirm(&keys.set_id).await?;
        if out.json() { Ok(()) } else { self.say_confirmed() }
    }

    async fn confirm(&self, set: &str) -> Result<(), CliError> {
        let body = ConfirmInitRequest { set_id: set.to_owned() };
        self.client.ask(self.ask(Endpoint::ConfirmInit).json(&body)).await?;
        Ok(())
    }

    fn say_confirmed(&self) -> Result<(), CliError> {
        if self.session.out.json() {
            return Ok(());
        }
        output::line("Confirmed: these unlock keys hold. Next: strongroom login")
    }
}

/// Whether a person says so; where there is none, nobody does.
fn kept() -> Result<bool, CliError> {
    Ok(prompt::somebody_there() && prompt::confirmed("Are the unlock keys kept safely? Type yes: ", "yes")?)
}

fn read_token(path: &Path) -> Result<SecretBytes, CliError> {
    Ok(state::trimmed(&state::read_private(path)?))
}

/// The public key that was given, or one of a new pair, whose private half is on disk before anyone uses it.
fn root_keys(session: &Session, given: Option<&Path>) -> Result<RootKeys, CliError> {
    if let Some(path) = given {
        let text = std::fs::read(path).map_err(CliError::file(path))?;
        let key =
            PublicKey::from_pem(&text).map_err(|source| CliError::Key { path: path.to_owned(), source })?;
        return Ok(RootKeys { public: public_key_pem(&key), private_file: None });
    }
    let pem = private_key_pem(&generate_ed25519_pkcs8().map_err(|_| CliError::KeyMaking)?);
    let public =
        PrivateKey::from_pem(&pem).and_then(|key| key.public_key()).map_err(|_| CliError::KeyMaking)?;
    let print = data_encoding::HEXLOWER.encode(&sha256(public.spki())[..8]);
    let path = session.state.keep_key(&format!("root-{print}"), &pem)?;
    output::note(&format!("A new Ed25519 key pair for root: the private key is {}", path.display()));
    Ok(RootKeys { public: public_key_pem(&public), private_file: Some(path) })
}

/// Keeps the access key id, and where its private key is, in the context, so that `login` finds them.
fn remember(session: &Session, keys: &NewUnlockKeys, root: &RootKeys) -> Result<(), CliError> {
    let name = session.target.context.clone().unwrap_or_else(|| "default".to_owned());
    let address = session.target.address.to_string();
    let cacert = session.target.cacert.as_deref().and_then(|path| std::path::absolute(path).ok());
    context::update(&session.config, &name, |context| {
        context.address.get_or_insert(address);
        context.cacert = context.cacert.take().or(cacert);
        context.access_key_id.clone_from(&keys.access_key_id);
        context.key_file.clone_from(&root.private_file);
    })?;
    output::note(&format!("Context {name:?} of {} knows them now.", session.config.display()));
    Ok(())
}
