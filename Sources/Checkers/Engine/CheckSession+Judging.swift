import CourseModel
import KubeClient
import KubeModel

extension CheckSession {
    /// Runs the steps of one check and gives its verdict with what proves it.
    mutating func judge(_ check: Check) async -> CheckResult {
        let started = options.now()
        current = check.id
        evidence = []
        victims = [:]
        measured = [:]
        loads = [:]
        var verdict = Verdict.passed
        if check.needsPresence { recordPresence() }
        for step in check.steps {
            if let stopped = await run(step, of: check) {
                verdict = stopped
                break
            }
        }
        await undoActions()
        return CheckResult(
            check: check.id, title: check.title, verdict: verdict, evidence: evidence, measured: measured,
            points: check.points, started: started, finished: options.now())
    }

    /// Nil: the step is done, the next one may run.
    private mutating func run(_ step: CheckStep, of check: Check) async -> Verdict? {
        if Task.isCancelled { return .unknown(because: "the check was interrupted") }
        if let reason = blindness(for: step) { return .unknown(because: reason) }
        let began = options.now()
        do throws(Stop) {
            let assessment: Assessment
            switch step {
            case .act(let action):
                try await perform(action)
                return nil
            case .expect(let condition, let limit) where condition.isAsked:
                assessment = try await expect(asking: condition, within: limit)
            case .expect(let condition, let limit): assessment = await expect(condition, within: limit)
            }
            if assessment.state == .holds {
                if case .expect(let condition, _) = step { measure(condition, since: began) }
                return nil
            }
            if Task.isCancelled { return .unknown(because: "the check was interrupted") }
            if let reason = blindness(for: step) { return .unknown(because: reason) }
            return .failed(await failure(assessment, of: check, at: step))
        } catch {
            switch error {
            case .unknown(let reason): return .unknown(because: reason)
            case .failed(let assessment): return .failed(await failure(assessment, of: check, at: step))
            }
        }
    }

    /// Why the check cannot see what it has to judge; nil when it can.
    private func blindness(for step: CheckStep) -> String? {
        guard case .expect(let condition, _) = step else { return nil }
        for resource in ConditionJudge.resources(of: condition) {
            if let status = view.failures[resource] { return "\(resource.plural) cannot be watched: \(status)" }
            if !view.isSynced(resource) { return "the cluster did not say in time which \(resource.plural) there are" }
        }
        return nil
    }

    private mutating func measure(_ condition: ClusterCondition, since began: Moment) {
        let elapsed = (options.now() - began).wholeMilliseconds
        switch condition {
        case .replaced(let name):
            measured["recovery"] = elapsed
            if let victim = victims[name], let new = judge.replacements(for: victim).first(where: \.isReadyPod) {
                record(
                    "Pod \(new.name) has replaced \(victim.name) after \(Duration.milliseconds(elapsed).readable)", new,
                    .pods)
            }
        case .ready(_, let count): measured["ready-\(count)"] = elapsed
        case .answered(let question):
            record("'\(question.text)' was answered: '\(options.answers[question.id] ?? "")'")
        default: break
        }
    }

    /// What is there when a check begins that only looks: the evidence for a state that nobody saw come about.
    private mutating func recordPresence() {
        for pod in view.list(.pods, in: namespace) where pod.isActivePod && !pod.isProbe {
            record("Pod \(pod.name) is there and \(pod.isReadyPod ? "ready" : "not ready")", pod, .pods)
        }
    }

    // MARK: Failures

    private func failure(_ assessment: Assessment, of check: Check, at step: CheckStep) async -> Failure {
        let finding = await lookElsewhere(assessment.finding, step)
        let cause = finding?.cause ?? .tooSlow
        let advice = check.hint(for: cause) ?? (finding == nil ? check.generalHint : nil)
        let hint = [finding?.text, advice].compactMap { $0 }.joined(separator: " ")
        return Failure(expected: assessment.expected, found: assessment.found, hint: hint, cause: cause)
    }

    /// An object that is missing here may exist in another namespace, or its namespace may not exist at all.
    private func lookElsewhere(_ finding: Finding?, _ step: CheckStep) async -> Finding? {
        guard let finding, finding.cause == .missing || finding.cause == .nodePort else { return finding }
        let home = namespace
        do throws(Status) {
            _ = try await client.get(.namespaces, home)
        } catch {
            if error.isNotFound {
                return Finding(
                    .missing, "There is no namespace '\(home)': create it with 'kubectl create namespace \(home)'.",
                    isFinal: true)
            }
        }
        if let leaving = try? await client.get(.namespaces, home), leaving.isBeingDeleted {
            return Finding(
                .immutable, "The namespace '\(home)' is being deleted. Wait until it is gone and make it anew.",
                isFinal: true)
        }
        guard let ref = Self.wanted(by: step), let resource = ResourceType.ofKind(ref.kind), resource.isNamespaced,
            let all = try? await client.list(resource)
        else { return finding }
        let others = all.items.filter { $0.name == ref.name && $0.namespace != (ref.namespace ?? home) }
        guard let other = others.first?.namespace else { return finding }
        return Finding(
            .wrongNamespace,
            "There is a \(ref) in the namespace '\(other)', but it belongs into '\(ref.namespace ?? home)'.",
            isFinal: true)
    }

    private static func wanted(by step: CheckStep) -> ObjectRef? {
        switch step {
        case .expect(.object(let ref, _), _), .expect(.ready(let ref, _), _), .expect(.endpoints(let ref, _), _),
            .expect(.podReady(let ref), _), .act(.scale(let ref, _)), .act(.patch(let ref, _)), .act(.restart(let ref)):
            return ref
        case .expect(.logged(let container, _), _), .expect(.executed(let container, _), _): return container.object
        case .expect(.answers(let http), _):
            guard http.origin == .inside, let name = http.url.host.split(separator: ".").first else { return nil }
            return ObjectRef(kind: "Service", name: String(name))
        default: return nil
        }
    }
}

extension Check {
    /// A check that does nothing and waits for pods should say which ones it saw.
    fileprivate var needsPresence: Bool {
        steps.allSatisfy { step in
            switch step {
            case .expect(.ready, _), .expect(.endpoints, _), .expect(.podReady, _): true
            default: false
            }
        }
    }
}
