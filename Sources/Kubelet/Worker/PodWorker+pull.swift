import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// The images of containers, and the logins that their registries may be shown.
extension PodWorker {
    /// Finds the image, as often as it takes; nil when the pod ends first or the image is never to be found.
    func pullImage(_ slot: Slot) async -> Image? {
        var backoff = PullBackoff()
        while !isOver(slot) {
            let container = container(slot)
            if container.image != state(slot).image {
                // Another image has failed nobody yet.
                backoff = PullBackoff()
                await change(slot) { $0.image = container.image }
            }
            let isPresent = node.isPresent(container.image)
            if container.imagePullPolicy == "Never", !isPresent {
                let message = "Container image \"\(container.image)\" is not present with pull policy of Never"
                await record(.warning, "ErrImageNeverPull", message, container)
                await record(.warning, "Failed", "Error: ErrImageNeverPull", container)
                await change(slot) { $0.wait("ErrImageNeverPull", message) }
                await pause(node.configuration.prescribed(backoff.next()), slot, with: container.image)
                continue
            }
            let pulls = container.imagePullPolicy == "Always" || !isPresent
            if pulls { await record(.normal, "Pulling", "Pulling image \"\(container.image)\"", container) }
            let begun = ContinuousClock.now
            do throws(RuntimeError) {
                let keyring = try await keyring(for: container.image)
                let image =
                    pulls
                    ? try await node.runtime.pullImage(container.image, with: keyring)
                    : try await node.runtime.findImage(container.image, with: keyring)
                let took = (ContinuousClock.now - begun).components
                let milliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
                await record(
                    .normal, "Pulled",
                    pulls
                        ? "Successfully pulled image \"\(container.image)\" in \(milliseconds)ms (\(milliseconds)ms including waiting)."
                            + " Image size: \(image.bytes) bytes."
                        : "Container image \"\(container.image)\" already present on machine", container)
                node.markPresent(container.image)
                return image
            } catch {
                await reportPullFailure(
                    slot, container, error, after: node.configuration.prescribed(backoff.next()))
            }
        }
        return nil
    }

    /// The logins in the pod's `imagePullSecrets`, as they are now.
    private func keyring(for image: String) async throws(RuntimeError) -> RegistryKeyring {
        var keyring = RegistryKeyring()
        var missing: [String] = []
        for reference in pod.spec["imagePullSecrets"]?.array ?? [] {
            guard let name = reference["name"]?.string, !name.isEmpty else { continue }
            guard let secret = try? await lookup(.secrets, name) else {
                missing.append(name)
                continue
            }
            do throws(RegistryKeyring.Malformed) { try keyring.add(secret: secret) } catch {
                throw .imageNotFound(reference: image, because: error.sentence)
            }
        }
        if !missing.isEmpty {
            await record(
                .warning, "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (\(missing.joined(separator: ", "))); attempting to pull the image may"
                    + " not succeed.")
        }
        return keyring
    }

    private func reportPullFailure(
        _ slot: Slot, _ container: Container, _ error: RuntimeError, after delay: Duration
    ) async {
        if case .invalidImageName = error {
            let message = "Failed to apply default image tag \"\(container.image)\": \(error.sentence)"
            await record(.warning, "InspectFailed", message, container)
            await record(.warning, "Failed", "Error: InvalidImageName", container)
            await change(slot) { $0.wait("InvalidImageName", message) }
            return await pause(delay, slot, with: container.image)
        }
        await record(.warning, "Failed", "Failed to pull image \"\(container.image)\": \(error.sentence)", container)
        await record(.warning, "Failed", "Error: ErrImagePull", container)
        await change(slot) { $0.wait("ErrImagePull", error.sentence) }
        // The first state is there to be read; then comes the back-off.
        await pause(max(node.configuration.visiblePause, .milliseconds(200)))
        guard !isOver(slot) else { return }
        await record(.normal, "BackOff", "Back-off pulling image \"\(container.image)\"", container)
        await record(.warning, "Failed", "Error: ImagePullBackOff", container)
        await change(slot) {
            $0.phase = .waiting(
                reason: "ImagePullBackOff",
                message: "Back-off pulling image \"\(container.image)\": ErrImagePull: \(error.sentence)")
        }
        await pause(delay, slot, with: container.image)
    }
}
