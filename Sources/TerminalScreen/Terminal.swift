import CNCurses
import CTerminal
public import ScreenKit

/// The terminal: shows frames and reads keys.
///
/// The only code that knows ncurses.
///
/// Whatever ends the program, the terminal is restored: `leave()` on every ordinary way out, a guard in C on signals and crashes.
@safe public final class Terminal {
    private let window: UnsafeMutablePointer<WINDOW>
    private var shown: CellBuffer?
    private let hasUnicode: Bool
    private let hasColor: Bool
    private var isLeft = false

    /// Takes over the terminal; nil when standard output is not one that can show screens.
    ///
    /// - Parameter usesColor: False under NO_COLOR: bold, dim and reverse still tell things apart.
    public init?(usesColor: Bool) {
        cn_set_locale()
        // A locale that is not installed leaves "C"; almost every terminal understands UTF-8 all the same.
        if !cn_is_utf8() { cn_set_utf8_locale() }
        hasUnicode = cn_is_utf8()
        ct_guard_install()
        guard let window = unsafe initscr() else {
            ct_guard_remove()
            return nil
        }
        unsafe self.window = window
        raw()
        noecho()
        unsafe keypad(window, true)
        unsafe nodelay(window, true)
        set_escdelay(25)
        hasColor = usesColor && has_colors()
        if hasColor {
            start_color()
            use_default_colors()
            for (number, role) in ColorRole.allCases.enumerated() {
                init_pair(Int16(number + 1), role.terminalColor, -1)
            }
        }
    }

    public var size: Size {
        unsafe Size(columns: Int(cn_columns(window)), rows: Int(cn_rows(window)))
    }

    /// Draws what differs from the frame shown before.
    public func show(_ frame: CellBuffer) {
        for run in frame.changes(from: shown) {
            unsafe cn_style(window, attributes(of: run.style), pair(of: run.style))
            unsafe cn_text(window, Int32(run.row), Int32(run.column), hasUnicode ? run.text : run.text.asASCII)
        }
        if let cursor = frame.cursor {
            curs_set(1)
            unsafe wmove(window, Int32(cursor.row), Int32(cursor.column))
        } else {
            curs_set(0)
        }
        unsafe wrefresh(window)
        shown = frame
    }

    private func attributes(of style: Style) -> attr_t {
        var attributes: attr_t = 0
        if style.isBold { attributes |= cn_bold() }
        if style.isDim { attributes |= cn_dim() }
        if style.isReversed { attributes |= cn_reverse() }
        if style.isUnderlined { attributes |= cn_underline() }
        return attributes
    }

    private func pair(of style: Style) -> Int16 {
        guard hasColor, style.color != .plain, let index = ColorRole.allCases.firstIndex(of: style.color) else {
            return 0
        }
        return Int16(index + 1)
    }

    /// What happened while waiting.
    public enum Event: Sendable, Hashable {
        case key(Key)
        case resized
        case woken
        case timedOut
        /// The terminal is gone: standard input has ended.
        case closed
    }

    /// Waits for a key, a new size, a byte on `wake` (which the caller reads), or the time-out.
    public func wait(wake: Int32, timeout: Duration?) -> Event {
        if let key = readKey() { return key }
        let milliseconds = timeout.map {
            Int32(clamping: $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000)
        }
        let ready = ct_wait(wake, milliseconds ?? -1)
        if ready & 1 != 0 {
            if let key = readKey() { return key }
            return ready & 2 == 0 && isInputClosed() ? .closed : .woken
        }
        return ready & 2 != 0 ? .woken : .timedOut
    }

    private func isInputClosed() -> Bool { ct_input_closed() }

    private func readKey() -> Event? {
        var code: wint_t = 0
        let kind = unsafe wget_wch(window, &code)
        if kind == KEY_CODE_YES {
            switch Int32(code) {
            case KEY_RESIZE:
                shown = nil
                unsafe wclear(window)
                return .resized
            case KEY_UP: return .key(.up)
            case KEY_DOWN: return .key(.down)
            case KEY_LEFT: return .key(.left)
            case KEY_RIGHT: return .key(.right)
            case KEY_PPAGE: return .key(.pageUp)
            case KEY_NPAGE: return .key(.pageDown)
            case KEY_HOME: return .key(.home)
            case KEY_END: return .key(.end)
            case KEY_ENTER: return .key(.enter)
            case KEY_BACKSPACE: return .key(.backspace)
            default: return .woken
            }
        }
        guard kind == OK else { return nil }
        switch code {
        case 10, 13: return .key(.enter)
        case 27: return .key(.escape)
        case 9: return .key(.tab)
        case 8, 127: return .key(.backspace)
        case 1...26: return .key(.control(Character(UnicodeScalar(UInt8(code + 96)))))
        default: return UnicodeScalar(code).map { .key(.character(Character($0))) } ?? .woken
        }
    }

    /// Gives the terminal back while `body` runs a program on it, then takes it again.
    public func suspended<Result>(_ body: () -> Result) -> Result {
        endwin()
        ct_guard_remove()
        let result = body()
        ct_guard_install()
        unsafe wrefresh(window)
        shown = nil
        unsafe wclear(window)
        return result
    }

    /// Gives the terminal back for good.
    public func leave() {
        guard !isLeft else { return }
        isLeft = true
        endwin()
        ct_guard_remove()
    }
}

extension ColorRole {
    /// One of the sixteen colours that every palette defines; -1 is the terminal's own foreground.
    fileprivate var terminalColor: Int16 {
        switch self {
        case .plain: -1
        case .accent, .first: Int16(COLOR_CYAN)
        case .good, .third: Int16(COLOR_GREEN)
        case .bad: Int16(COLOR_RED)
        case .warning, .fourth: Int16(COLOR_YELLOW)
        case .second: Int16(COLOR_MAGENTA)
        }
    }
}

extension String {
    /// The text for a terminal without Unicode.
    fileprivate var asASCII: String {
        let signs: [Character: Character] = [
            "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "✓": "+", "✗": "x",
            "…": "~",
            "▸": ">", "░": ".", "█": "#", "č": "c", "ć": "c", "ž": "z", "š": "s", "đ": "d",
        ]
        return String(map { $0.isASCII ? $0 : signs[$0] ?? "?" })
    }
}
