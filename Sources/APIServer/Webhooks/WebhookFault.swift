import KubeModel

/// Why a request does not go on after a webhook was asked.
enum WebhookFault: Error, Equatable {
    /// The webhook could not be asked, or its answer makes no sense: for its `failurePolicy` to judge.
    case call(String)
    /// What the client is told, whatever the policy.
    case status(Status)
}

extension WebhookFault {
    /// The refusal that a webhook wants the client to see.
    ///
    /// Source: apiserver, `admission/plugin/webhook/errors`.
    static func denied(by name: String, _ result: JSONValue?) -> WebhookFault {
        let denial = "admission webhook \(GoText.quote(name)) denied the request"
        let message = result?["message"]?.string ?? ""
        let reason = result?["reason"]?.string ?? ""
        let why = message.isEmpty ? reason : message
        return .status(
            Status(
                code: max(400, result?["code"]?.int ?? 0), reason: reason,
                message: why.isEmpty ? "\(denial) without explanation" : "\(denial): \(why)",
                details: result?["details"].flatMap { $0.isNull ? nil : $0 }))
    }

    static func dryRunUnsupported(_ name: String) -> WebhookFault {
        .status(.badRequest("admission webhook \(GoText.quote(name)) does not support dry run"))
    }

    /// What the client is told when the webhook's failure counts.
    func refusal(_ name: String) -> Status {
        switch self {
        case .call(let reason): .internalError("failed calling webhook \(GoText.quote(name)): \(reason)")
        case .status(let status): status
        }
    }
}
