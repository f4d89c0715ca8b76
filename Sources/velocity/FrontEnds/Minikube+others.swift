import Cluster
import Foundation

extension Minikube {
    /// What minikube does and VelocityLab does not, and what comes nearest to it.
    static let refusals: [String: FrontEndFailure] = [
        "ssh": FrontEndFailure(
            "VelocityLab's node is this machine, so there is nothing to log in to.",
            hint: "Run the command here (a hostPath is a path of this machine), or in a pod: kubectl exec -it POD -- sh"
        ),
        "cp": FrontEndFailure(
            "VelocityLab's node is this machine, so its files are there already.",
            hint: "Into a pod: kubectl cp PATH POD:PATH"),
        "mount": FrontEndFailure(
            "VelocityLab's node is this machine, so nothing has to be mounted into it.",
            hint: "Name the folder in a pod's hostPath volume."),
        "pause": FrontEndFailure(
            "VelocityLab's cluster does not pause.", hint: "minikube stop keeps what it holds; minikube start goes on."),
        "unpause": FrontEndFailure("VelocityLab's cluster does not pause.", hint: "minikube status says how it is."),
        "update-context": FrontEndFailure(
            "VelocityLab never writes your own kubeconfig unasked.",
            hint: "velocity cluster kubeconfig --merge, or work in: velocity shell"),
        "ssh-key": FrontEndFailure("VelocityLab's node is this machine: it has no key of its own."),
        "ssh-host": FrontEndFailure("VelocityLab's node is this machine: it has no key of its own."),
    ]

    mutating func node(_ words: [String]) throws {
        let read = try read(words, [.value("nodes")], "node")
        guard read.operand(0) == "list" else {
            throw FrontEndFailure(
                "VelocityLab's cluster has the nodes that it is started with.",
                hint: "minikube stop, then: minikube start --nodes 3")
        }
        _ = try running()
        for name in ClusterSettings.load(try directory()).nodeNames { Output.line("\(name)\t127.0.0.1") }
    }

    /// Settings for machines that are not made here are taken and have no effect, as in `start`.
    mutating func config(_ words: [String]) throws {
        let read = try read(words, [.value("format")], "config")
        switch (read.operand(0), read.operands.count) {
        case ("set", 3), ("unset", 2):
            Output.remark(
                "Without effect here: \(read.operands[1]). Pods are processes of this machine, with all that it has.")
        case ("view", 1), ("defaults", 2): break
        case ("get", 2):
            throw FrontEndFailure(lines: ["Error: specified key could not be found in config"])
        default: throw FrontEndFailure(lines: ["Error: config takes set, unset, get or view."], code: 14)
        }
    }
}
