/// A program that converts custom resources between their versions (`spec.conversion.webhook` of a definition).
public struct ConversionWebhook: Sendable, Hashable {
    /// The versions of `ConversionReview` that are known.
    public static let versions = ["v1", "v1beta1"]

    /// The name of the definition.
    public let definition: String
    /// Where the program is, as the definition says it.
    public let clientConfig: JSONValue
    /// The version of `ConversionReview` to speak: the first of its list that is known here.
    public let reviewVersion: String

    init(definition: String, _ value: JSONValue) {
        self.definition = definition
        clientConfig = value["clientConfig"] ?? [:]
        let versions = value.texts("conversionReviewVersions")
        reviewVersion = versions.first { Self.versions.contains($0) } ?? "v1"
    }
}
