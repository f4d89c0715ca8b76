import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("The node", .timeLimit(.minutes(5))) struct NodeTests {
    private func readyNode(_ bed: KubeletBed) async throws -> KubeObject {
        let isReady = try await bed.client.waitFor(.nodes, "n1", in: nil, timeout: KubeletBed.patience) {
            Conditions($0?.value[["status", "conditions"]])["Ready"]?.isTrue == true
        }
        #expect(isReady)
        return try await bed.client.get(.nodes, "n1")
    }

    @Test("the kubelet registers its node as Ready, with what it offers")
    func registration() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let node = try await readyNode(bed)
            let conditions = Conditions(node.value[["status", "conditions"]])
            #expect(conditions["Ready"]?.reason == "KubeletReady")
            for type in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
                #expect(conditions[type]?.status == "False", "\(type)")
            }
            for amounts in ["capacity", "allocatable"] {
                #expect(node.value[["status", amounts]] == ["cpu": "4", "memory": "1073741824", "pods": "110"])
            }
            #expect(
                node.value[["status", "addresses"]] == [
                    ["type": "InternalIP", "address": "192.0.2.1"], ["type": "Hostname", "address": "n1"],
                ])
            #expect(node.labels["kubernetes.io/hostname"] == "n1")
            #expect(node.labels["kubernetes.io/os"] == "linux")
        }
    }

    @Test("what somebody adds to the node's capacity is offered, and taken back with it")
    func extendedResources() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            _ = try await readyNode(bed)
            for amount in ["4", nil] as [JSONValue?] {
                let patch: JSONValue = ["status": ["capacity": ["example.com/dongle": amount ?? .null]]]
                _ = try await bed.client.patch(
                    .nodes, namespace: nil, name: "n1", .merge(patch), subresource: "status", options: WriteOptions())
                let isOffered = try await bed.client.waitFor(.nodes, "n1", in: nil, timeout: KubeletBed.patience) {
                    $0?.value[["status", "allocatable", "example.com/dongle"]] == amount
                        && $0?.value[["status", "allocatable", "cpu"]] == "4"
                }
                #expect(isOffered)
            }
        }
    }

    @Test("the node has a lease, held in its name, and owns it")
    func lease() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let isHeld = try await bed.client.waitFor(
                .leases, "n1", in: "kube-node-lease", timeout: KubeletBed.patience
            ) { $0?.value[["spec", "holderIdentity"]] == "n1" }
            #expect(isHeld)
            let owners = try await bed.client.get(.leases, "n1", in: "kube-node-lease").ownerReferences
            let node = try await bed.client.get(.nodes, "n1")
            #expect(owners.map(\.kind) == ["Node"])
            #expect(owners.map(\.uid) == [node.uid])
        }
    }

    @Test("a new node is announced by events, from Starting to NodeReady")
    func events() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let events = try await bed.client.waitFor(.events, namespace: nil, timeout: KubeletBed.patience) { events in
                events.contains { $0.value["reason"] == "NodeReady" }
                    && events.contains { $0.value["reason"] == "Starting" }
            }
            let ready = events?.first { $0.value["reason"] == "NodeReady" }
            #expect(ready?.value["message"] == "Node n1 status is now: NodeReady")
            #expect(ready?.value[["involvedObject", "kind"]] == "Node")
        }
    }

    @Test("a node that is there already keeps its labels and what is set in its spec")
    func takenOver() async throws {
        let bed = try KubeletBed()
        var node = KubeObject(.nodes, name: "n1")
        node.labels = ["disk": "ssd"]
        node.value["spec"] = ["unschedulable": true]
        _ = try await bed.client.create(.nodes, node)
        try await bed.run {
            let node = try await readyNode(bed)
            #expect(node.labels["disk"] == "ssd")
            #expect(node.value[["spec", "unschedulable"]] == true)
        }
    }

    @Test("pods of other nodes, and of none, are left alone")
    func otherNodes() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let elsewhere = try await bed.client.create(.pods, MemoryCluster.pod("elsewhere", node: "n2"))
            let unbound = try await bed.client.create(.pods, MemoryCluster.pod("unbound"))
            let here = try await bed.ready(try await bed.makePod("here"))
            #expect(bed.addresses.taken.keys.sorted() == [here.uid])
            for pod in [elsewhere, unbound] {
                let now = try await bed.client.get(.pods, pod.name, in: "default")
                #expect(now.resourceVersion == pod.resourceVersion)
            }
        }
    }
}
