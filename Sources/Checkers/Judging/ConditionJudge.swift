import CourseModel
import KubeModel

/// Judges conditions over what the witness sees; it owns no clock and asks nobody.
struct ConditionJudge {
    let view: ClusterView
    /// The lab's namespace.
    let namespace: String
    let victims: [String: Victim]
    /// What came of the requests that actions send, by name.
    var loads: [String: LoadCount] = [:]
    /// What the learner has written in answer to questions.
    var answers: [QuestionID: String] = [:]

    /// HTTP conditions are judged by their answers; see ``HTTPJudge``.
    func assess(_ condition: ClusterCondition) -> Assessment {
        switch condition {
        case .object(let ref, let requirements): object(ref, requirements)
        case .absent(let ref): absent(ref)
        case .count(let selection, let requirements, let comparison): count(selection, requirements, comparison)
        case .ready(let deployment, let count): ready(deployment, count)
        case .replaced(let name): replaced(name)
        case .endpoints(let service, let count): endpoints(service, count)
        case .podReady(let pod): podReady(pod)
        case .lost(let name, let most): lost(loads[name] ?? LoadCount(), most)
        case .answers(let http): Assessment(.notYet, expected: HTTPJudge.expected(http), found: "not asked yet")
        case .logged(let source, let text):
            Assessment(.notYet, expected: "the log of \(source) says '\(text)'", found: "not read yet")
        case .executed(let container, let command):
            Assessment(.notYet, expected: Self.expected(container, command), found: "not run yet")
        case .answered(let question): answered(question)
        case .resolves(let name):
            Assessment(.notYet, expected: "the name '\(name)' leads to an address", found: "not asked yet")
        }
    }

    /// The kinds that must be watched for a condition.
    static func resources(of condition: ClusterCondition) -> [ResourceType] {
        switch condition {
        case .object(let ref, _), .absent(let ref): [ResourceType.ofKind(ref.kind)].compactMap { $0 }
        case .count(let selection, _, _): [ResourceType.ofKind(selection.kind)].compactMap { $0 }
        case .ready: [.deployments, .replicaSets, .pods, .events]
        case .replaced: [.replicaSets, .pods, .events]
        case .podReady: [.pods, .events]
        case .logged: [.deployments, .replicaSets, .pods, .events]
        case .executed: [.deployments, .replicaSets, .pods, .events]
        case .lost, .answered: []
        case .endpoints, .answers, .resolves: [.services, .endpointSlices, .pods, .events]
        }
    }

    func find(_ ref: ObjectRef) -> KubeObject? {
        ResourceType.ofKind(ref.kind).flatMap { view.get($0, ref.name, in: ref.namespace ?? namespace) }
    }

    /// The objects of a selection, without those that the checker made itself.
    func find(_ selection: Selection) -> [KubeObject] {
        guard let resource = ResourceType.ofKind(selection.kind) else { return [] }
        let home = resource.isNamespaced ? selection.namespace ?? namespace : nil
        let all = view.list(resource, in: home).filter { !$0.isProbe }
        guard let text = selection.selector, let selector = try? LabelSelector(parsing: text) else { return all }
        return all.filter { selector.matches($0.labels) }
    }

    private func missing(_ ref: ObjectRef) -> Finding {
        Finding(
            .missing, "There is no \(ref) in the namespace '\(ref.namespace ?? namespace)'.", isFinal: true)
    }

    private func object(_ ref: ObjectRef, _ requirements: [Requirement]) -> Assessment {
        guard let object = find(ref) else {
            return Assessment(.hopeless, expected: "\(ref) exists", found: "it does not exist", finding: missing(ref))
        }
        let mismatches = requirements.flatMap { $0.mismatches(in: object.value) }
        guard let first = mismatches.first else {
            return Assessment(.holds, expected: "\(ref) is right", found: "it is")
        }
        let isStuck = mismatches.contains { object.isImmutable(at: $0.path, kind: ref.kind) }
        let name = { (mismatch: Mismatch) in mismatch.path.isEmpty ? ref.description : mismatch.path }
        return Assessment(
            isStuck ? .hopeless : .notYet,
            expected: mismatches.map { "\(name($0)): \($0.expected)" }.joined(separator: "; "),
            found: mismatches.map { "\(name($0)): \($0.found)" }.joined(separator: "; "),
            finding: isStuck
                ? Finding(
                    .immutable,
                    "In \(ref), \(first.text). That cannot be changed any more: delete it with "
                        + "'kubectl delete \(ref.kind.lowercased()) \(ref.name)' and make it anew.",
                    isFinal: true)
                : Finding(.wrongValue, "In \(ref), \(first.text)."))
    }

    private func podReady(_ ref: ObjectRef) -> Assessment {
        let expected = "\(ref) runs and is ready"
        guard let pod = find(ref) else {
            return Assessment(.hopeless, expected: expected, found: "it does not exist", finding: missing(ref))
        }
        if pod.isReadyPod { return Assessment(.holds, expected: expected, found: "it is") }
        let phase = pod.isBeingDeleted ? "Terminating" : pod.value[["status", "phase"]]?.string ?? "Pending"
        let finding = PodTrouble.find([pod], in: view)
        return Assessment(
            state(after: finding, in: pod.namespace), expected: expected, found: "it is \(phase), and not ready",
            finding: finding)
    }

    /// Whether waiting helps: what finds no room gets it only from a pod that is on its way out.
    private func state(
        after finding: Finding?, of sets: Set<String> = [], in namespace: String?
    ) -> Assessment.State {
        guard let finding else { return .notYet }
        if finding.isFinal { return .hopeless }
        let isShort =
            finding.cause == .unschedulable || (finding.cause == .refused && failure(of: sets, in: namespace) != nil)
        return isShort && !view.list(.pods, in: namespace).contains(where: \.isBeingDeleted) ? .stuck : .notYet
    }

    private func lost(_ load: LoadCount, _ most: Int) -> Assessment {
        let expected = most == 0 ? "no request is lost" : "at most \(most) requests are lost"
        let found = "\(load.failed) of \(load.sent) requests were lost\(load.reason.map { " (\($0))" } ?? "")"
        if load.sent == 0 { return Assessment(.notYet, expected: expected, found: "no request was sent") }
        if load.failed <= most { return Assessment(.holds, expected: expected, found: found) }
        return Assessment(
            .hopeless, expected: expected, found: found,
            finding: Finding(
                .downtime, "While the pods were replaced, \(load.failed) of \(load.sent) requests found nobody.",
                isFinal: true))
    }

    static func expected(_ container: ContainerRef, _ command: CommandExpectation) -> String {
        let output = command.equals.map { " and prints '\($0)'" } ?? command.contains.map { " and prints '… \($0) …'" }
        return "'\(command)' in \(container) ends with \(command.exitCode)\(output ?? "")"
    }

    private func answered(_ question: LabQuestion) -> Assessment {
        let expected = "a right answer to: \(question.text)"
        guard let answer = answers[question.id] else {
            return Assessment(
                .hopeless, expected: expected, found: "no answer",
                finding: Finding(
                    .missing,
                    "The question is not answered yet: number keys answer on the lab's screen, 'velocity answer' elsewhere.",
                    isFinal: true))
        }
        if question.isRight(answer) { return Assessment(.holds, expected: expected, found: "'\(answer)'") }
        return Assessment(
            .hopeless, expected: expected, found: "'\(answer)'",
            finding: Finding(.wrongAnswer, "'\(answer)' is not the answer to: \(question.text)", isFinal: true))
    }

    private func absent(_ ref: ObjectRef) -> Assessment {
        find(ref) == nil
            ? Assessment(.holds, expected: "no \(ref)", found: "there is none")
            : Assessment(.notYet, expected: "no \(ref)", found: "it exists")
    }

    private func count(_ selection: Selection, _ requirements: [Requirement], _ comparison: Comparison) -> Assessment {
        let found = find(selection).filter { object in
            requirements.allSatisfy { $0.mismatches(in: object.value).isEmpty }
        }
        let label = selection.selector.map { " with \($0)" } ?? ""
        let expected = "\(selection.kind) objects\(label): \(comparison.text)"
        return Assessment(
            comparison.holds(count: found.count) ? .holds : .notYet, expected: expected, found: "\(found.count)")
    }

    // MARK: Deployments

    /// The pods of a Deployment, by the chain of owners.
    func pods(of deployment: KubeObject) -> [KubeObject] {
        let sets = Set(
            view.list(.replicaSets, in: deployment.namespace)
                .filter { $0.controllerOwner?.uid == deployment.uid }.map(\.uid))
        return view.list(.pods, in: deployment.namespace)
            .filter { $0.isActivePod && sets.contains($0.controllerOwner?.uid ?? "") }
    }

    private func ready(_ ref: ObjectRef, _ count: Int) -> Assessment {
        let expected = "\(count) ready pods of \(ref)"
        guard let deployment = find(ref) else {
            return Assessment(.hopeless, expected: expected, found: "no such Deployment", finding: missing(ref))
        }
        let wanted = deployment.value[["spec", "replicas"]]?.int ?? 1
        let pods = pods(of: deployment)
        let ready = pods.filter(\.isReadyPod).count
        let found = pods.count == count ? "\(ready) of \(count) ready" : "\(pods.count) pods, \(ready) of them ready"
        guard wanted == count else {
            let text = "spec.replicas of \(ref) is \(wanted), and should be \(count)."
            return Assessment(
                .hopeless, expected: expected, found: "spec.replicas is \(wanted), \(found)",
                finding: Finding(.replicas, text, isFinal: true))
        }
        let status = deployment.value["status"]
        let isObserved = (status?["observedGeneration"]?.int ?? 0) >= deployment.generation
        let reported = ["replicas", "updatedReplicas", "readyReplicas"].map { status?[$0]?.int ?? 0 }
        let latest = latestSet(of: deployment)
        let isRolledOut = latest.map { hasTemplate($0, of: deployment) } ?? false
        if isObserved, isRolledOut, ready == count, pods.count == count, reported.allSatisfy({ $0 == count }) {
            return Assessment(.holds, expected: expected, found: found)
        }
        let finding =
            PodTrouble.find(pods.filter { latest == nil || $0.controllerOwner?.uid == latest?.uid }, in: view)
            ?? latest.flatMap { refusal([$0.uid], in: deployment.namespace) }
        // What has just been changed has still its chance: its new pods are not there yet.
        return Assessment(
            isObserved && isRolledOut
                ? state(after: finding, of: Set([latest?.uid].compactMap { $0 }), in: deployment.namespace) : .notYet,
            expected: expected, found: found, finding: finding)
    }

    /// The ReplicaSet of the latest release; pods of earlier ones are on their way out, whatever is wrong with them.
    private func latestSet(of deployment: KubeObject) -> KubeObject? {
        let revision = { (set: KubeObject) in
            set.annotations["deployment.kubernetes.io/revision"].flatMap { Int($0) } ?? 0
        }
        return view.list(.replicaSets, in: deployment.namespace)
            .filter { $0.controllerOwner?.uid == deployment.uid }
            .max { revision($0) < revision($1) }
    }

    /// Whether the ReplicaSet makes the pods that the Deployment describes now: its status may be of a moment ago.
    private func hasTemplate(_ set: KubeObject, of deployment: KubeObject) -> Bool {
        var template = set.value[["spec", "template"]]
        let path = ["metadata", "labels"]
        if var labels = template?[path]?.object {
            labels["pod-template-hash"] = nil
            template?[path] = .object(labels)
        }
        return template == deployment.value[["spec", "template"]]
    }

    /// Why a ReplicaSet may not create its pods just now, in its own words.
    private func failure(of sets: Set<String>, in namespace: String?) -> String? {
        view.list(.replicaSets, in: namespace).lazy.filter { sets.contains($0.uid) }
            .compactMap { $0.condition("ReplicaFailure") }.first { $0["status"]?.string == "True" }?["message"]?.string
    }

    /// A ReplicaSet that may not create its pods says so in its status, and in events.
    private func refusal(_ sets: Set<String>, in namespace: String?) -> Finding? {
        if let message = failure(of: sets, in: namespace) {
            return Finding(.refused, "The pods cannot be created: \(message).")
        }
        let event = view.list(.events, in: namespace).first { event in
            event.value["reason"]?.string == "FailedCreate"
                && event.value[["involvedObject", "uid"]]?.string.map(sets.contains) ?? false
        }
        return event?.value["message"]?.string.map { Finding(.refused, "The pods cannot be created: \($0).") }
    }

    // MARK: Self-healing

    private func replaced(_ name: String) -> Assessment {
        guard let victim = victims[name] else {
            return Assessment(.hopeless, expected: "a pod to be replaced", found: "none was deleted")
        }
        let owner = victim.owner.map { "\($0.kind) '\($0.name)'" } ?? "its owner"
        let expected = "a new ready pod of \(owner) in place of '\(victim.name)'"
        let fresh = replacements(for: victim)
        if fresh.contains(where: \.isReadyPod), isGoing(victim) {
            return Assessment(.holds, expected: expected, found: fresh.first { $0.isReadyPod }?.name ?? "")
        }
        guard let candidate = fresh.first else {
            let owner = Set([victim.owner?.uid].compactMap { $0 })
            let finding = refusal(owner, in: victim.namespace)
            return Assessment(
                state(after: finding, of: owner, in: victim.namespace), expected: expected, found: "no new pod so far",
                finding: finding)
        }
        let finding = PodTrouble.find(fresh, in: view)
        return Assessment(
            state(after: finding, in: victim.namespace), expected: expected,
            found: "'\(candidate.name)' was created and is not ready", finding: finding)
    }

    /// Pods of the same owner that were not there when the victim was deleted.
    func replacements(for victim: Victim) -> [KubeObject] {
        view.list(.pods, in: victim.namespace).filter {
            $0.isActivePod && !victim.known.contains($0.uid) && $0.controllerOwner?.uid == victim.owner?.uid
                && $0.controllerOwner != nil
        }
    }

    /// The victim is terminating or gone.
    func isGoing(_ victim: Victim) -> Bool {
        guard let pod = view.get(.pods, victim.name, in: victim.namespace) else { return true }
        return pod.uid != victim.uid || pod.isBeingDeleted
    }

    // MARK: Services

    private func endpoints(_ ref: ObjectRef, _ count: Int) -> Assessment {
        let expected = "\(count) ready endpoints of \(ref)"
        guard let service = find(ref) else {
            return Assessment(.hopeless, expected: expected, found: "no such Service", finding: missing(ref))
        }
        let facts = ServiceFacts(service: service, view: view)
        let ready = facts.readyAddresses.count
        if ready >= count { return Assessment(.holds, expected: expected, found: "\(ready)") }
        let finding = facts.troubleWithEndpoints()
        return Assessment(
            finding?.isFinal == true ? .hopeless : .notYet, expected: expected, found: "\(ready)", finding: finding)
    }
}
