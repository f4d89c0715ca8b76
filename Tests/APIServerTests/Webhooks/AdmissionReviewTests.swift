import KubeModel
import Testing

@testable import APIServer

@Suite("Answers of webhooks") struct AdmissionReviewTests {
    private static let kind = KindSchema(.configMaps, root: .any)

    private static let request = AdmissionRequest(
        kind, KubeObject(.configMaps, namespace: "default", name: "a"), WriteSettings())

    private static func review(_ version: String = "v1") -> AdmissionReview {
        AdmissionReview(request, as: kind, object: [:], old: nil, version: version, uid: "u")
    }

    private static func answer(_ response: JSONValue, apiVersion: JSONValue = "admission.k8s.io/v1") -> JSONValue {
        ["apiVersion": apiVersion, "kind": "AdmissionReview", "response": response]
    }

    @Test(
        "an answer that does not fit the question is refused",
        arguments: [
            (["kind": "AdmissionReview"], "webhook response was absent"),
            (answer(["uid": "x", "allowed": true]), #"expected response.uid="u", got "x""#),
            (
                answer(["uid": "u", "allowed": true], apiVersion: "v1"),
                "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /v1, Kind=AdmissionReview"
            ),
            (
                answer(["uid": "u", "allowed": true, "patch": "W10="]),
                "webhook returned response.patch but not response.patchType"
            ),
            (
                answer(["uid": "u", "allowed": true, "patchType": "JSONPatch"]),
                "webhook returned response.patchType but not response.patch"
            ),
        ] as [(JSONValue, String)])
    func misfits(answer: JSONValue, why: String) throws {
        let fault = #expect(throws: WebhookFault.self) { try Self.review().answer(answer, mayPatch: true) }
        #expect(fault == .call("received invalid webhook response: \(why)"))
    }

    @Test("who only judges may not change")
    func validating() throws {
        let answer = Self.answer(["uid": "u", "allowed": true, "patch": "W10=", "patchType": "JSONPatch"])
        let fault = #expect(throws: WebhookFault.self) { try Self.review().answer(answer, mayPatch: false) }
        #expect(fault == .call("received invalid webhook response: validating webhook may not return response.patch"))
    }

    @Test("the older version is not so strict about what comes back")
    func beta() throws {
        let answer: JSONValue = ["response": ["allowed": true, "patch": .string(SecretText.encode("[{}]"))]]
        #expect(try Self.review("v1beta1").answer(answer, mayPatch: true).patch == [[:]])
    }

    @Test(
        "a refusal is told with what the webhook says of it",
        arguments: [
            (nil, 400, "", "without explanation"), (["reason": "Because", "code": 200], 400, "Because", ": Because"),
            (["message": "no", "code": 451], 451, "", ": no"),
        ] as [(JSONValue?, Int, String, String)])
    func refusals(result: JSONValue?, code: Int, reason: String, end: String) {
        let status = WebhookFault.denied(by: "a.b.c", result).refusal("a.b.c")
        #expect(status.code == code)
        #expect(status.reason == reason)
        let space = end.hasPrefix(":") ? "" : " "
        #expect(status.message == #"admission webhook "a.b.c" denied the request"# + space + end)
    }
}
