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
    /// Remove a store.
    RemoveStore = RemoveStore: Store => StoreWriteView;
    /// List a store's secrets.
    ListSecrets = ListSecrets: StoreFolder => FolderView;
    /// Read a secret.
    GetSecret = GetSecret: Secret => SecretReadView;
    /// Read a secret's metadata.
    ReadMetadata = ReadMetadata: Secret => SecretReadView;
    /// Write a secret.
    PutSecret = PutSecret: Secret => SecretWriteView;
    /// Delete a secret.
    DeleteSecret = DeleteSecret: Secret => SecretLivesView;
}
