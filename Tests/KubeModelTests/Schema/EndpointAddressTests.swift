import Testing

@testable import KubeModel

@Suite("Addresses of endpoints", .timeLimit(.minutes(5)))
struct EndpointAddressTests {
    @Test(
        "one machine's own addresses are refused, apart from those where pods without namespaces live",
        arguments: [
            ("10.244.0.2", true), ("127.244.0.2", true), ("127.129.0.2", true), ("127.0.0.1", false),
            ("127.88.0.1", false), ("::1", false), ("169.254.1.1", false), ("0.0.0.0", false), ("nonsense", false),
        ])
    func addresses(text: String, isFine: Bool) {
        var errors: [FieldError] = []
        AddressRules.checkEndpoint(.string(text), FieldPath("ip"), &errors)
        #expect(errors.isEmpty == isFine)
    }
}
