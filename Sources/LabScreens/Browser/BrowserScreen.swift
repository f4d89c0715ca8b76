import KubeModel
import ScreenKit

/// The cluster as it is: the objects of every kind, live, with their events, their YAML and their logs.
struct BrowserScreen: Sendable {
    /// A word while it is typed.
    enum Prompt: Sendable {
        case filter(String)
        case kind(String)
        /// Whether an object is to be deleted.
        case delete(BrowserObject)
    }

    /// The kinds that the arrow keys go through; `:` reaches the others.
    static let kinds: [ResourceType] = [
        .pods, .deployments, .replicaSets, .statefulSets, .daemonSets, .jobs, .services, .endpointSlices, .ingresses,
        .configMaps, .secrets, .persistentVolumeClaims, .events, .nodes, .namespaces,
    ]

    /// The namespace that is looked at; nil for all of them.
    private(set) var namespace: String?
    /// The lab's, to which `a` returns from all.
    private var home: String
    private(set) var queries: [BrowserQuery]
    private(set) var table: BrowserTable
    /// What lies over the table.
    private(set) var text: (target: BrowserTarget, text: BrowserText)?
    private(set) var prompt: Prompt?
    private(set) var failure: String?
    private(set) var now: Timestamp

    init(namespace: String, now: Timestamp) {
        home = namespace
        self.namespace = namespace
        self.now = now
        let query = BrowserQuery(.pods, namespace: namespace)
        queries = [query]
        table = BrowserTable(query)
    }

    private var query: BrowserQuery { queries[queries.count - 1] }

    /// What the shell is to keep up to date.
    var target: BrowserTarget { text?.target ?? .list(query) }

    var isTyping: Bool { prompt != nil }

    var place: String {
        switch text?.target {
        case .object(let object): object.title
        case .log(let pod, let container): "log of \(pod.title)" + (container.map { ", container \($0)" } ?? "")
        default: "cluster › \(namespace ?? "all namespaces")"
        }
    }

    // MARK: Messages

    mutating func take(_ answer: BrowserAnswer, of target: BrowserTarget, now: Timestamp) {
        self.now = now
        guard target == self.target else { return }
        switch answer {
        case .objects(let list):
            failure = nil
            table.show(list)
        case .object(let object, let events): text?.text.show(object, events: events, now: now)
        case .lines(let lines): text?.text.append(lines)
        case .failed(let sentence):
            failure = sentence
            text?.text.fail(sentence)
        }
    }

    mutating func pass(to now: Timestamp) { self.now = now }

    // MARK: Keys

    /// - Parameter page: How much of a text or a table is seen at once.
    mutating func press(_ key: Key, page: Size) -> App.Action {
        if prompt != nil { return answerPrompt(key) }
        if text != nil { return pressInText(key, page: page) }
        switch key {
        case .down, .character("j"): table.move(1)
        case .up, .character("k"): table.move(-1)
        case .pageDown, .character(" "): table.move(page.rows)
        case .pageUp: table.move(-page.rows)
        case .home: table.move(-table.total)
        case .end: table.move(table.total)
        case .right, .tab: return turn(1)
        case .left: return turn(-1)
        case .character("a"):
            namespace = namespace == nil ? home : nil
            return list(BrowserQuery(query.resource, namespace: namespace))
        case .character("/"): prompt = .filter("")
        case .character(":"): prompt = .kind("")
        case .escape, .character("q"):
            if !table.filter.isEmpty {
                table.filter = ""
                return .none
            }
            guard queries.count > 1 else { return .back }
            queries.removeLast()
            return show(query)
        default: return pressOnObject(key)
        }
        return .none
    }

    private mutating func pressOnObject(_ key: Key) -> App.Action {
        guard let selection = table.selection else {
            return .say(table.rows.isEmpty ? "Nothing is selected here." : Self.unknownKey)
        }
        let object = BrowserObject(table.resource, namespace: selection.namespace, name: selection.name)
        switch key {
        case .enter: return descend(selection, object)
        case .character("d"), .character("y"): return open(.object(object))
        case .character("l") where table.resource == .pods:
            return open(.log(object, container: Pod(selection).containers.first?.name))
        case .character("s") where table.resource == .pods: return .podShell(object)
        case .character("l"), .character("s"): return .say("That is for pods; Enter goes to those of most objects.")
        case .control("d"):
            prompt = .delete(object)
            return .none
        default: return .say(Self.unknownKey)
        }
    }

    private static let unknownKey = "That key does nothing here; ? shows the keys that do."

    /// From a workload, a Service or a node to its pods, from a namespace into it, from everything else to its details.
    private mutating func descend(_ selection: KubeObject, _ object: BrowserObject) -> App.Action {
        if let pods = selection.pods(table.resource) {
            queries.append(pods)
            return show(pods)
        }
        if table.resource == .namespaces {
            namespace = selection.name
            home = selection.name
            return list(BrowserQuery(.pods, namespace: namespace))
        }
        return open(.object(object))
    }

    private mutating func pressInText(_ key: Key, page: Size) -> App.Action {
        switch key {
        case .down, .character("j"): text?.text.scroll(by: 1, in: page)
        case .up, .character("k"): text?.text.scroll(by: -1, in: page)
        case .pageDown, .character(" "): text?.text.scroll(by: page.rows, in: page)
        case .pageUp: text?.text.scroll(by: -page.rows, in: page)
        case .home: text?.text.jump(toEnd: false)
        case .end: text?.text.jump(toEnd: true)
        case .character("c"): return nextContainer()
        case .escape, .character("q"), .left:
            text = nil
            return .follow(target)
        default: return .say(Self.unknownKey)
        }
        return .none
    }

    private mutating func nextContainer() -> App.Action {
        guard case .log(let pod, let container) = text?.target, let selection = table.selection else {
            return .say(Self.unknownKey)
        }
        let names = (Pod(selection).initContainers + Pod(selection).containers).map(\.name)
        guard names.count > 1, let place = names.firstIndex(of: container ?? "") else {
            return .say("The pod has one container only.")
        }
        return open(.log(pod, container: names[(place + 1) % names.count]))
    }

    private mutating func turn(_ step: Int) -> App.Action {
        let place = Self.kinds.firstIndex(of: query.resource) ?? 0
        let next = Self.kinds[(place + step + Self.kinds.count) % Self.kinds.count]
        return list(BrowserQuery(next, namespace: namespace))
    }

    // MARK: Going somewhere

    /// Begins anew with a list of its own.
    private mutating func list(_ query: BrowserQuery) -> App.Action {
        var query = query
        if !query.resource.isNamespaced { query.namespace = nil }
        queries = [query]
        return show(query)
    }

    private mutating func show(_ query: BrowserQuery) -> App.Action {
        failure = nil
        table = BrowserTable(query)
        return .follow(target)
    }

    private mutating func open(_ target: BrowserTarget) -> App.Action {
        if case .log = target {
            text = (target, BrowserText(isLog: true))
        } else {
            text = (target, BrowserText(isLog: false))
        }
        return .follow(target)
    }

    // MARK: Prompts

    private mutating func answerPrompt(_ key: Key) -> App.Action {
        switch (prompt, key) {
        case (.delete(let object), .character("y")):
            prompt = nil
            return .deleteObject(object)
        case (.delete, _), (_, .escape):
            if case .filter = prompt { table.filter = "" }
            prompt = nil
        case (.filter, .enter): prompt = nil
        case (.kind(let word), .enter):
            prompt = nil
            guard let resource = Self.resource(named: word) else {
                return .say("There is no kind '\(word)' here; try pods, svc or deployments.")
            }
            return list(BrowserQuery(resource, namespace: namespace))
        case (.filter(var word), let key):
            Self.edit(&word, key)
            prompt = .filter(word)
            table.filter = word
        case (.kind(var word), let key):
            Self.edit(&word, key)
            prompt = .kind(word)
        case (nil, _): break
        }
        return .none
    }

    private static func edit(_ word: inout String, _ key: Key) {
        switch key {
        case .character(let letter) where word.count < 100: word.append(letter)
        case .backspace where !word.isEmpty: word.removeLast()
        case .control("u"): word = ""
        default: break
        }
    }

    /// A kind by its plural, singular, kind or short name, as kubectl takes it.
    static func resource(named word: String) -> ResourceType? {
        let word = word.lowercased()
        return KindCatalog.builtIn.kinds.first { kind in
            kind.verbs.contains("list")
                && ([kind.resource.plural, kind.singular, kind.resource.qualifiedPlural] + kind.shortNames)
                    .contains(word)
        }?.resource
    }
}
