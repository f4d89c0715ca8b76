import KubeModel

extension OutgoingCall {
    /// Sends a review and reads the one that comes back.
    ///
    /// - Throws: What the real server's client says of an answer that is none.
    func review(_ body: [UInt8], url: String) async throws(CallFailure) -> JSONValue {
        let answer = try await send(body, url: url)
        guard (200...206).contains(answer.code) else { throw CallFailure(message: Self.explain(answer)) }
        do throws(JSONError) {
            return try JSONValue(parsing: answer.body)
        } catch {
            throw CallFailure(message: "couldn't get version/kind; json parse error: \(error)")
        }
    }

    /// Source: apimachinery, `NewGenericServerResponse`.
    private static func explain(_ answer: Answer) -> String {
        if let value = try? JSONValue(parsing: answer.body), let status = Status(value) { return status.message }
        let isText = answer.contentType.hasPrefix("text/")
        let text = isText ? String(decoding: answer.body, as: UTF8.self).trimmed : "unknown"
        switch answer.code {
        case 400: return "the server rejected our request for an unknown reason"
        case 401: return "the server has asked for the client to provide credentials"
        case 403, 406, 415: return text
        case 404: return "the server could not find the requested resource"
        case 405: return "the server does not allow this method on the requested resource"
        case 409: return "the server reported a conflict"
        case 422: return "the server rejected our request due to an error in our request"
        case 429: return "the server has received too many requests and has asked us to try again later"
        case 503: return "the server is currently unable to handle the request"
        case 504:
            return "the server was unable to return a response in the time allotted, but may still be processing the "
                + "request"
        case 500...: return "an error on the server (\(GoText.quote(text))) has prevented the request from succeeding"
        default: return "the server responded with the status code \(answer.code) but did not return more information"
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop(while: \.isWhitespace))
    }
}
