/// Images from registries, where the cluster may ask those.
extension ImageCatalog {
    /// Makes sure that the newest image of a name is here, if it is one that comes from a registry.
    ///
    /// What was built or loaded has its name here and nowhere else; what is built in stands for the image of that name.
    func pull(_ text: String) async throws(RuntimeError) {
        guard pulls, let store, let reference = ImageReference(parsing: text) else { return }
        if let stored = store.find(reference) {
            // A digest always means the same.
            guard stored.origin == .pulled, reference.digest == nil else { return }
        } else if hasBuiltIn(reference), missing(for: reference) == nil {
            return
        }
        do throws(Registry.Failure) { try await store.pull(reference) } catch {
            let full = reference.description
            let failed = "failed to pull and unpack image \"\(full)\": failed to resolve reference \"\(full)\": "
            let because =
                switch error {
                case .notFound: "code = NotFound desc = \(failed)\(full): not found"
                case .denied:
                    "code = Unknown desc = \(failed)pull access denied, repository does not exist or may require"
                        + " authorization: server message: insufficient_scope: authorization failed"
                case .other(let what): "code = Unknown desc = \(failed)\(what)"
                }
            throw .imageNotFound(reference: text, because: "rpc error: " + because)
        }
    }
}
