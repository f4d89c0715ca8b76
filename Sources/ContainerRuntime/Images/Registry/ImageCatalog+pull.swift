/// Images from registries, where the cluster may ask those.
extension ImageCatalog {
    /// Makes sure that the newest image of a name is here, if it is one that comes from a registry.
    ///
    /// What was built or loaded has its name here and nowhere else; what is built in stands for the image of that name.
    ///
    /// - Parameter keyring: The logins of who wants it; all that are for the image are tried, as the kubelet does.
    func pull(_ text: String, with keyring: RegistryKeyring = RegistryKeyring()) async throws(RuntimeError) {
        guard pulls, let store, let reference = ImageReference(parsing: text) else { return }
        if let stored = store.find(reference) {
            // A digest always means the same.
            guard stored.origin == .pulled, reference.digest == nil else { return }
        } else if hasBuiltIn(reference), missing(for: reference) == nil {
            return
        }
        let logins = keyring.logins(for: reference)
        try await turns.take(reference.description) { () async throws(RuntimeError) in
            try await fetch(reference, text, logins, into: store)
        }
    }

    private func fetch(
        _ reference: ImageReference, _ text: String, _ logins: [RegistryLogin], into store: ImageStore
    ) async throws(RuntimeError) {
        var refusals: [String] = []
        for login in logins.isEmpty ? [nil] : logins.map(Optional.init) {
            do throws(Registry.Failure) {
                try await store.pull(reference, login: login)
                return
            } catch {
                let sentence = Self.sentence(error, reference.description)
                if !refusals.contains(sentence) { refusals.append(sentence) }
            }
        }
        let because = refusals.count == 1 ? refusals[0] : "[\(refusals.joined(separator: ", "))]"
        throw .imageNotFound(reference: text, because: because)
    }

    private static func sentence(_ failure: Registry.Failure, _ full: String) -> String {
        let failed = "failed to pull and unpack image \"\(full)\": failed to resolve reference \"\(full)\": "
        return switch failure {
        case .notFound: "rpc error: code = NotFound desc = \(failed)\(full): not found"
        case .denied(let what), .other(let what): "rpc error: code = Unknown desc = \(failed)\(what)"
        }
    }
}
