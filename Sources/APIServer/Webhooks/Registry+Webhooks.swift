import KubeModel
import ObjectStore

/// Programs outside the server that change or judge what is to be written (`MutatingAdmissionWebhook`,
/// `ValidatingAdmissionWebhook`).
extension Registry {
    /// The webhooks of a role, unless nobody is to be asked.
    private func webhooks(_ role: Webhook.Role, for request: AdmissionRequest) -> [Webhook] {
        // Configurations of admission itself are exempt: whoever breaks the cluster with one can mend it.
        guard request.callsWebhooks, request.resource.group != "admissionregistration.k8s.io" else { return [] }
        let name = role == .mutating ? "MutatingAdmissionWebhook" : "ValidatingAdmissionWebhook"
        return disabledPlugins.contains(name) ? [] : webhooks.webhooks(role, in: store)
    }

    // MARK: Changing

    /// Asks the mutating webhooks one after the other, each with what the one before has made.
    ///
    /// - Parameters:
    ///   - decode: Reads what a patch has made, with defaults.
    /// - Returns: Whether any of them changed the object.
    func askMutating(
        _ object: inout KubeObject?, _ request: AdmissionRequest, _ round: inout WebhookRound,
        decode: (JSONValue) throws(DecodeError) -> KubeObject
    ) async throws(Status) {
        let hooks = webhooks(.mutating, for: request)
        guard !hooks.isEmpty else { return }
        for (index, hook) in hooks.enumerated() {
            let seen = PolicyRequest(request, object, in: self)
            guard let kind = try hook.kind(of: seen), round.asks(hook) else { continue }
            var annotator = WebhookAnnotator(hook, round: round.number, index: index, request.open)
            do throws(WebhookFault) {
                let changed = try await ask(hook, as: kind, &object, request, decode: decode)
                annotator.mutated = changed
                round.note(hook, changed: changed)
                annotator.annotate()
            } catch {
                annotator.annotate()
                guard case .call = error, hook.ignoresFailures else { throw error.refusal(hook.name) }
                annotator.failedOpen()
            }
        }
        if let object { round.end(with: object) }
    }

    /// - Returns: Whether the webhook changed the object.
    private func ask(
        _ hook: Webhook, as kind: KindSchema, _ object: inout KubeObject?, _ request: AdmissionRequest,
        decode: (JSONValue) throws(DecodeError) -> KubeObject
    ) async throws(WebhookFault) -> Bool {
        let shown = try await converted(object, request, to: kind)
        let old = try await converted(request.old, request, to: kind)
        let answer = try await answer(hook, kind, shown, old, request)
        guard let patch = answer.patch else { return false }
        guard let shown, let before = object else {
            throw .status(
                .internalError(
                    "admission webhook \(GoText.quote(hook.name)) attempted to modify the object, which is not "
                        + "supported for this operation"))
        }
        var patched: JSONValue
        do throws(PatchError) { patched = try shown.value.applyingJSONPatch(patch) } catch {
            throw .status(.internalError(error.message))
        }
        if kind.resource != request.resource {
            patched = try await status { () throws(Status) in
                try await self.convert(KubeObject(patched), from: kind, to: request.kind).value
            }
        }
        do throws(DecodeError) { object = try decode(patched) } catch {
            throw .status(.internalError(error.message))
        }
        return object != before
    }

    // MARK: Judging

    /// Asks all validating webhooks at once; the first refusal in their order counts.
    func askValidating(_ object: KubeObject?, _ request: AdmissionRequest) async throws(Status) {
        let hooks = webhooks(.validating, for: request)
        guard !hooks.isEmpty else { return }
        let seen = PolicyRequest(request, object, in: self)
        var concerned: [(index: Int, hook: Webhook, kind: KindSchema)] = []
        for (index, hook) in hooks.enumerated() {
            if let kind = try hook.kind(of: seen) { concerned.append((index, hook, kind)) }
        }
        guard !concerned.isEmpty else { return }
        let faults = await withTaskGroup(of: (Int, Status?).self) { group in
            for (index, hook, kind) in concerned {
                group.addTask { (index, await self.judge(hook, index, kind, object, request)) }
            }
            var faults: [(Int, Status)] = []
            for await (index, status) in group { if let status { faults.append((index, status)) } }
            return faults
        }
        if let first = faults.min(by: { $0.0 < $1.0 }) { throw first.1 }
    }

    /// The refusal of one webhook; nil when it has none that counts.
    private func judge(
        _ hook: Webhook, _ index: Int, _ kind: KindSchema, _ object: KubeObject?, _ request: AdmissionRequest
    ) async -> Status? {
        do throws(WebhookFault) {
            let shown = try await converted(object, request, to: kind)
            let old = try await converted(request.old, request, to: kind)
            _ = try await answer(hook, kind, shown, old, request)
            return nil
        } catch {
            guard case .call = error, hook.ignoresFailures else { return error.refusal(hook.name) }
            WebhookAnnotator(hook, round: 0, index: index, request.open).failedOpen()
            return nil
        }
    }

    // MARK: Asking

    /// What one webhook says; throws its refusal.
    private func answer(
        _ hook: Webhook, _ kind: KindSchema, _ object: KubeObject?, _ old: KubeObject?, _ request: AdmissionRequest
    ) async throws(WebhookFault) -> AdmissionReview.Answer {
        if request.isDryRun, !hook.allowsDryRun { throw .dryRunUnsupported(hook.name) }
        let review = AdmissionReview(
            request, as: kind, object: object?.value, old: old?.value, version: hook.reviewVersion,
            uid: ObjectMetadata.newUID())
        let call = OutgoingCall(registry: self, client: hook.client, timeout: .seconds(hook.timeoutSeconds))
        let reply: JSONValue
        do throws(CallFailure) {
            reply = try await call.review(review.bytes, url: hook.client.url(timeoutSeconds: hook.timeoutSeconds))
        } catch {
            throw .call("failed to call webhook: \(error.message)")
        }
        let answer = try review.answer(reply, mayPatch: hook.role == .mutating)
        for (name, value) in answer.auditAnnotations { request.open?.annotate("\(hook.name)/\(name)", value) }
        for warning in answer.warnings { request.open?.warn(warning) }
        guard answer.isAllowed else { throw .denied(by: hook.name, answer.result) }
        return answer
    }

    private func converted(
        _ object: KubeObject?, _ request: AdmissionRequest, to kind: KindSchema
    ) async throws(WebhookFault) -> KubeObject? {
        // A sub-resource of its own type has one form only.
        guard let object, kind.resource != request.resource, request.body == nil else { return object }
        return try await status { () throws(Status) in
            try await self.convert(object, from: request.kind, to: kind)
        }
    }

    private func status<Result>(
        _ action: () async throws(Status) -> Result
    ) async throws(WebhookFault) -> Result {
        do throws(Status) { return try await action() } catch { throw .status(.internalError(error.message)) }
    }

    /// An object in another version of its kind.
    func convert(
        _ object: KubeObject, from kind: KindSchema, to other: KindSchema
    ) async throws(Status) -> KubeObject {
        try await served(try await stored(object, as: kind), as: other)
    }
}
