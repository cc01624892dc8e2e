//! The engine's actions, as types.

use strongroom_gate::{
    FolderView, Secret, SecretLivesView, SecretReadView, SecretWriteView, Store, StoreFolder, StoreReadView,
    StoreWriteView, Stores, StoresView, actions,
};

actions! {
    /// Create a store.
    CreateStore = CreateStore: Stores => StoresView;
    /// List stores.
    ListStores = ListStores: Stores => StoresView;
    /// List keysets.
    ListKeysets = ListKeysets: Stores => StoresView;
    /// Read a store's metadata.
    ReadStore = ReadStore: Store => StoreReadView;
    /// Change a store's settings.
    ConfigureStore = ConfigureStore: Store => StoreWriteView;
    /// Remove a store.
    RemoveStore = RemoveStore: Store => StoreWriteView;
    /// List a store's secrets.
    ListSecrets = ListSecrets: StoreFolder => FolderView;
    /// List what expires.
    ListExpiring = ListExpiring: Stores => StoresView;
    /// Read a secret.
    GetSecret = GetSecret: Secret => SecretReadView;
    /// Read a secret's public half.
    ReadPublic = ReadPublic: Secret => SecretReadView;
    /// Read a secret's metadata.
    ReadMetadata = ReadMetadata: Secret => SecretReadView;
    /// Write a secret.
    PutSecret = PutSecret: Secret => SecretWriteView;
    /// Generate a secret.
    GenerateSecret = GenerateSecret: Secret => SecretWriteView;
    /// Delete versions of a secret.
    DeleteSecret = DeleteSecret: Secret => SecretLivesView;
    /// Bring deleted versions of a secret back.
    UndeleteSecret = UndeleteSecret: Secret => SecretLivesView;
    /// Destroy versions of a secret.
    DestroySecret = DestroySecret: Secret => SecretLivesView;
    /// Remove a secret with everything about it.
    RemoveSecret = RemoveSecret: Secret => SecretLivesView;
}
