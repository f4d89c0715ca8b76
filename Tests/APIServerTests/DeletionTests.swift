import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Deletion", .timeLimit(.minutes(5))) struct DeletionTests {
    private func delete(
        _ fixture: Fixture, _ resource: ResourceType, _ name: String, _ options: DeleteOptions = DeleteOptions()
    ) async throws -> KubeObject {
        try await fixture.client.delete(resource, namespace: "default", name: name, options: options)
    }

    private func exists(_ fixture: Fixture, _ resource: ResourceType, _ name: String) async throws -> Bool {
        do throws(Status) {
            _ = try await fixture.client.get(resource, name, in: "default")
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    @Test("an object that nothing holds back is gone at once")
    func plain() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a")
        _ = try await delete(fixture, .configMaps, "a")
        #expect(try await !exists(fixture, .configMaps, "a"))
    }

    @Test("an object with finalizers is marked, and goes with the last of them")
    func finalizers() async throws {
        let fixture = try Fixture()
        var object = KubeObject(.configMaps, namespace: "default", name: "a")
        object.finalizers = ["example.com/hold"]
        _ = try await fixture.client.create(.configMaps, object)
        let marked = try await delete(fixture, .configMaps, "a")
        #expect(marked.isBeingDeleted)
        #expect(try await exists(fixture, .configMaps, "a"))
        _ = try await fixture.client.patch(
            .configMaps, namespace: "default", name: "a", .merge(["metadata": ["finalizers": nil]]), subresource: nil,
            options: WriteOptions())
        #expect(try await !exists(fixture, .configMaps, "a"))
    }

    @Test(
        "foreground and orphan leave a finalizer to the garbage collector",
        arguments: [
            (DeleteOptions.Propagation.foreground, "foregroundDeletion"), (.orphan, "orphan"),
        ])
    func propagation(propagation: DeleteOptions.Propagation, finalizer: String) async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        let marked = try await delete(fixture, .deployments, "web", DeleteOptions(propagation: propagation))
        #expect(marked.finalizers == [finalizer])
        #expect(marked.isBeingDeleted)
    }

    @Test("a pod on no node is gone at once")
    func unboundPod() async throws {
        let fixture = try Fixture()
        try await fixture.makePod("a")
        _ = try await delete(fixture, .pods, "a")
        #expect(try await !exists(fixture, .pods, "a"))
    }

    @Test("a pod on a node is given its grace period, which can be shortened, and goes at zero")
    func boundPod() async throws {
        let fixture = try Fixture()
        try await fixture.makePod("a", node: "n1", grace: 20)
        let marked = try await delete(fixture, .pods, "a")
        #expect(marked.deletionGracePeriodSeconds == 20)
        let longer = try await delete(fixture, .pods, "a", DeleteOptions(gracePeriodSeconds: 60))
        #expect(longer.deletionGracePeriodSeconds == 20)
        let shorter = try await delete(fixture, .pods, "a", DeleteOptions(gracePeriodSeconds: 5))
        #expect(shorter.deletionGracePeriodSeconds == 5)
        let before = try #require(marked.deletionTimestamp)
        #expect(shorter.deletionTimestamp == before + .seconds(-15))
        _ = try await delete(fixture, .pods, "a", DeleteOptions(gracePeriodSeconds: 0))
        #expect(try await !exists(fixture, .pods, "a"))
    }

    @Test("a deletion of another uid is refused")
    func preconditions() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a")
        let status = try await refusal { _ = try await delete(fixture, .configMaps, "a", DeleteOptions(uid: "other")) }
        #expect(status.code == 409)
        #expect(try await exists(fixture, .configMaps, "a"))
    }

    @Test("a namespace is Terminating until its finalizer is taken away")
    func namespace() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.namespaces, KubeObject(.namespaces, name: "team"))
        let options = DeleteOptions()
        var marked = try await fixture.client.delete(.namespaces, namespace: nil, name: "team", options: options)
        #expect(marked.value[["status", "phase"]] == "Terminating")
        let again = try await fixture.client.delete(.namespaces, namespace: nil, name: "team", options: options)
        #expect(again.resourceVersion == marked.resourceVersion)
        marked.value[["spec", "finalizers"]] = []
        _ = try await fixture.client.update(
            .namespaces, marked, subresource: "finalize", options: WriteOptions())
        let status = try await refusal { _ = try await fixture.client.get(.namespaces, "team") }
        #expect(status.isNotFound)
    }

    @Test("the namespaces of every cluster stay", arguments: ["default", "kube-system", "kube-public"])
    func immortalNamespaces(name: String) async throws {
        let fixture = try Fixture()
        let status = try await refusal {
            try await fixture.client.delete(.namespaces, namespace: nil, name: name, options: DeleteOptions())
        }
        #expect(status.message == "namespaces \"\(name)\" is forbidden: this namespace may not be deleted")
    }
}
