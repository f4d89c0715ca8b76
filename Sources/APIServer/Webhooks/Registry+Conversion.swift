import KubeModel

/// Custom resources whose versions a webhook converts (`spec.conversion.strategy: Webhook`).
extension Registry {
    /// The API server gives a conversion as long as a request may take.
    private static let conversionTimeout = Duration.seconds(30)

    /// Objects in a version; those that are in it already are not asked about.
    func convert(
        _ objects: [KubeObject], to apiVersion: String, _ webhook: ConversionWebhook
    ) async throws(Status) -> [KubeObject] {
        let foreign = objects.indices.filter { objects[$0].apiVersion != apiVersion }
        guard !foreign.isEmpty else { return objects }
        let review = ConversionReview(
            foreign.map { objects[$0] }, to: apiVersion, version: webhook.reviewVersion, uid: ObjectMetadata.newUID())
        let client = WebhookClient(webhook.clientConfig)
        let call = OutgoingCall(registry: self, client: client, timeout: Self.conversionTimeout)
        let answer: JSONValue
        do throws(CallFailure) {
            answer = try await call.review(review.bytes, url: client.url(timeoutSeconds: 30))
        } catch {
            throw .plainError(review.failure(error.message).message)
        }
        var result = objects
        do throws(ConversionReview.Fault) {
            for (index, object) in zip(foreign, try review.converted(answer)) { result[index] = object }
        } catch {
            throw .plainError(error.message)
        }
        return result
    }

    /// Objects as a kind serves them: converted, without what its schema does not know, and with its defaults.
    func convert(
        _ objects: [KubeObject], to kind: KindSchema, _ webhook: ConversionWebhook
    ) async throws(Status) -> [KubeObject] {
        let converted = try await convert(objects, to: kind.resource.apiVersion, webhook)
        var result: [KubeObject] = []
        for (object, original) in zip(converted, objects) {
            guard object.apiVersion != original.apiVersion else {
                result.append(kind.served(object))
                continue
            }
            do throws(DecodeError) {
                result.append(kind.served(try kind.decode(object.value).object))
            } catch {
                throw .plainError(error.message)
            }
        }
        return result
    }
}
