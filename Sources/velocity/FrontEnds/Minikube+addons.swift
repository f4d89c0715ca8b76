import Foundation
import KubeClient
import KubeModel

extension Minikube {
    /// An addon of minikube, and what it is here.
    private struct Addon {
        var name: String
        var isThere: @Sendable (any ClusterClient) async -> Bool
        /// Why it is not there, or cannot be taken away.
        var remark: String
        /// Brings it; nil where it comes with the cluster.
        var bring: (@Sendable (any ClusterClient) async throws -> Void)?
    }

    private static let nodeMetrics = ResourceType(
        group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics", plural: "nodes", isNamespaced: false)

    private static let addons: [Addon] = [
        Addon(
            name: "dashboard", isThere: { _ in true },
            remark: "VelocityLab shows the cluster in the terminal instead: velocity"),
        Addon(
            name: "default-storageclass", isThere: { client in await exists(client, .storageClasses, nil) },
            remark: "it is part of VelocityLab's cluster"),
        Addon(
            name: "ingress",
            isThere: { client in
                (try? await client.get(.services, "ingress-nginx-controller", in: "ingress-nginx")) != nil
            }, remark: "its controller stays once it has started", bring: bringIngress),
        Addon(
            name: "metrics-server",
            isThere: { client in await exists(client, nodeMetrics, nil) },
            remark: "it is part of VelocityLab's cluster"),
        Addon(
            name: "storage-provisioner", isThere: { client in await exists(client, .storageClasses, nil) },
            remark: "it is part of VelocityLab's cluster"),
    ]

    private static func exists(_ client: any ClusterClient, _ type: ResourceType, _ namespace: String?) async -> Bool {
        (try? await client.list(type, in: namespace).items.isEmpty) == false
    }

    /// The controller comes with the class that names it, as minikube's addon brings one.
    @Sendable private static func bringIngress(_ client: any ClusterClient) async throws {
        var ingressClass = KubeObject(.ingressClasses, namespace: nil, name: "nginx")
        ingressClass.value["metadata"] = [
            "name": "nginx", "annotations": ["ingressclass.kubernetes.io/is-default-class": "true"],
        ]
        ingressClass.value["spec"] = ["controller": "k8s.io/ingress-nginx"]
        do throws(Status) { _ = try await client.create(.ingressClasses, ingressClass) } catch {
            guard error.reason == "AlreadyExists" else { throw FrontEndFailure(error.message) }
        }
        _ = try await client.waitFor(
            .services, "ingress-nginx-controller", in: "ingress-nginx", timeout: .seconds(10)
        ) { $0 != nil }
    }

    mutating func addons(_ words: [String]) async throws {
        let read = try read(words, [.value("output", "o"), .toggle("docs", "d"), .toggle("refresh")], "addons")
        let client = try client()
        guard let verb = read.operand(0) else {
            throw FrontEndFailure(lines: ["Error: addons takes list, enable NAME or disable NAME."], code: 14)
        }
        if verb == "list" {
            var rows: [[String]] = []
            for addon in Self.addons {
                rows.append([
                    addon.name, profile, await addon.isThere(client) ? "enabled ✅" : "disabled", "VelocityLab",
                ])
            }
            return Output.text(BorderedTable.text(["ADDON NAME", "PROFILE", "STATUS", "MAINTAINER"], rows))
        }
        guard ["enable", "disable"].contains(verb), let name = read.operand(1) else {
            throw FrontEndFailure(lines: ["Error: addons takes list, enable NAME or disable NAME."], code: 14)
        }
        guard let addon = Self.addons.first(where: { $0.name == name }) else {
            let names = Self.addons.map(\.name).joined(separator: ", ")
            throw FrontEndFailure(
                lines: [
                    "❌  Exiting due to MK_ADDON_ENABLE: '\(name)' is not a valid minikube addon here",
                    "hint: There are: \(names).",
                ], code: 10)
        }
        if verb == "enable" { try await addon.bring?(client) }
        let isThere = await addon.isThere(client)
        if verb == "enable" {
            guard isThere else { throw FrontEndFailure("The addon '\(name)' cannot be enabled: \(addon.remark).") }
            return Output.line("🌟  The '\(name)' addon is enabled")
        }
        guard !isThere else { throw FrontEndFailure("The addon '\(name)' cannot be disabled: \(addon.remark).") }
        Output.line("🌑  \"The '\(name)' addon is disabled\"")
    }

    mutating func image(_ words: [String]) async throws {
        let rest = Array(words.dropFirst())
        switch words.first {
        case "ls", "list":
            _ = try read(rest, [.value("format")], "image ls")
            for image in try LocalImages.open().all { Output.line(image.whole) }
        case "load":
            let read = try read(
                rest, [.toggle("daemon"), .toggle("overwrite"), .toggle("pull"), .toggle("remote")], "image load")
            for name in read.operands { try LocalImages.open().bring(name) }
        case "build":
            _ = try running()
            try await LocalImages.open().build(rest, usage: "minikube image build")
        case "pull":
            let read = try read(rest, [], "image pull")
            for name in read.operands { try await LocalImages.open().pull(name) }
        case "tag":
            let read = try read(rest, [], "image tag")
            guard read.operands.count == 2 else {
                throw FrontEndFailure(lines: ["Error: image tag takes SOURCE TARGET."], code: 14)
            }
            try LocalImages.open().tag(read.operands[0], as: read.operands[1])
        case "rm", "remove", "unload":
            let read = try read(rest, [], "image rm")
            for name in read.operands { try LocalImages.open().remove(name) }
        default: throw FrontEndFailure(lines: ["Error: image takes ls, load, build, pull, tag or rm."], code: 14)
        }
    }
}
