public import Checkers
public import CourseModel
public import KubeModel
public import ScreenKit

/// Everything that can happen to the screens, in one queue: keys, time, and the results of effects.
public enum Message: Sendable, Hashable {
    case key(Key)
    case resized(Size)
    /// The time that ``App/tick`` asked for is over.
    case tick
    case cluster(ClusterView)
    /// What a running check waits for, in one line.
    case checkWaits(CheckID, String)
    case checkJudged(CheckResult)
    /// The checkpoint is judged and recorded.
    case checkpointFinished(CheckpointResult)
    /// The checkpoint could not be judged or recorded at all.
    case checkpointBroken(String)
    /// What has been achieved so far, by `lab/phase`.
    case progress([String: PhaseProgress])
    /// What is recorded about the learner, for the story and the pages.
    case story(StoryRecord)
    /// What was found out for ``Effect/follow(_:)``, and when.
    case browsed(BrowserTarget, BrowserAnswer, at: Timestamp)
    /// What time it is, as often as ages on the screen have to grow.
    case time(Timestamp)
    /// One line for the person at the screen.
    case notice(String)
    /// The lab is being brought to another state: what is done now.
    case preparing(String)
    /// That is over; how it went.
    case prepared(String)
}

/// What the shell around the screens has to do; it answers with messages.
public enum Effect: Sendable, Hashable {
    case quit
    /// Gives the terminal to the lab shell until it ends.
    case openShell(LabID)
    case runCheckpoint(LabID, PhaseID)
    case cancelCheckpoint
    case startCluster
    /// Makes the lab as it is where the phase begins; a drill breaks something then.
    case beginPhase(LabID, PhaseID)
    /// Does the phases before this one for the learner.
    case catchUp(LabID, PhaseID)
    /// Shows the next hint for the first check of a phase that is open.
    case showHint(LabID, PhaseID)
    /// A page was read to its end.
    case recordPage(PageID)
    /// A scene was seen, to its end or up to where it was left.
    case recordScene(ScenePlay, isFinished: Bool)
    /// The learner has written an answer.
    case keepAnswer(QuestionID, String)
    /// Keep telling about this part of the cluster, and about no other; nil ends it.
    case follow(BrowserTarget?)
    case deleteObject(BrowserObject)
    /// Gives the terminal to a shell in a pod until it ends.
    case openPodShell(BrowserObject)
}

/// How far a learner has come in a phase.
public struct PhaseProgress: Sendable, Hashable {
    public var passed: Int
    public var total: Int
    /// What was earned so far, of all points that there are.
    public var earned: Int
    public var points: Int

    public init(passed: Int, total: Int, earned: Int = 0, points: Int = 0) {
        self.passed = passed
        self.total = total
        self.earned = earned
        self.points = points
    }

    public var isDone: Bool { total > 0 && passed == total }
}

/// What the cluster strip shows: a picture of the cluster, brought up to date by a watch.
public struct ClusterView: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case starting
        case running
        /// It does not run; the sentence says since when or why.
        case stopped(String)
    }

    public struct Node: Sendable, Hashable {
        public var name: String
        public var isReady: Bool
        public init(name: String, isReady: Bool) {
            self.name = name
            self.isReady = isReady
        }
    }

    public struct Pod: Sendable, Hashable {
        public var name: String
        /// As `kubectl get pods` shows it: `Running`, `CrashLoopBackOff`, `Terminating`.
        public var status: String
        public var isReady: Bool
        public var restarts: Int
        public init(name: String, status: String, isReady: Bool, restarts: Int) {
            self.name = name
            self.status = status
            self.isReady = isReady
            self.restarts = restarts
        }
    }

    public var state: State
    /// The runtime level and the pace, for example `sandbox`, and the time factor where it is not 1.
    public var mode: String
    public var nodes: [Node]
    /// Of the lab's namespace, in order of their names.
    public var pods: [Pod]
    /// The drill that has begun in the lab's namespace; nil when none has.
    public var drill: DrillStage?

    public init(
        state: State, mode: String = "", nodes: [Node] = [], pods: [Pod] = [], drill: DrillStage? = nil
    ) {
        self.state = state
        self.mode = mode
        self.nodes = nodes
        self.pods = pods
        self.drill = drill
    }
}
