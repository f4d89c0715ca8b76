/// `useradd`, `adduser`, `groupadd` and `addgroup` of Debian and of Alpine, as far as Dockerfiles use them: the real ones want
/// rights that a sandbox does not have.
enum AccountTool {
    /// The accounts that are there for the built-in images make room for one of the same name.
    private static func spare(_ file: String) -> String {
        let lines = SystemFiles.accounts.first { $0.path == file }?.text.split(separator: "\n") ?? []
        let names = ["app", "nginx", "postgres"]
        return "|" + lines.filter { line in names.contains { line.hasPrefix($0 + ":") } }.joined(separator: "|") + "|"
    }

    static let script = #"""
        #!/bin/sh
        tool=${0##*/} id= group= others= home= shell=/bin/sh makes_home= may_exist= names= first=1000
        while [ $# -gt 0 ]; do
            case "$1" in
                --*=*) option=$1; shift; set -- "${option%%=*}" "${option#*=}" "$@"; continue ;;
                -[ugGhdsckepKb]?*) option=$1; shift; set -- "${option%"${option#??}"}" "${option#??}" "$@"; continue ;;
                -[!-]?*) option=$1; shift; set -- "${option%"${option#??}"}" "-${option#??}" "$@"; continue ;;
                -u|--uid) id=$2; shift ;;
                -g|--gid)
                    case "$tool" in
                        groupadd|addgroup) id=$2 ;;
                        useradd) group=$2 ;;
                        # Alpine's short one is a comment.
                        *) [ "$1" = -g ] || group=$2 ;;
                    esac
                    shift ;;
                -G) if [ "$tool" = useradd ]; then others=$2; else group=$2; fi; shift ;;
                --groups) others=$2; shift ;;
                --ingroup) group=$2; shift ;;
                -h|-d|--home|--home-dir) home=$2; shift ;;
                -s|--shell) shell=$2; shift ;;
                -f) if [ "$tool" = useradd ]; then shift; else may_exist=1; fi ;;
                --force) may_exist=1 ;;
                -c|-k|-e|-p|-K|-b|--comment|--gecos|--password|--base-dir|--expiredate|--inactive|--skel|--key) shift ;;
                -m|--create-home) makes_home=1 ;;
                -H|-M|--no-create-home) makes_home=no ;;
                -S|-r|--system) first=100 ;;
                -*) ;;
                *) names="$names $1" ;;
            esac
            shift
        done
        set -- $names
        name=$1
        [ -n "$name" ] || { echo "$tool: no name was given" >&2; exit 1; }
        free() { n=$2; while cut -d: -f3 "$1" | grep -qx "$n"; do n=$((n + 1)); done; echo "$n"; }
        number() { grep "^$1:" /etc/group | cut -d: -f3; }
        # Takes a spare account away; fails for any other of that name.
        vacate() {
            line=$(grep "^$name:" "$1") || return 0
            case "$2" in *"|$line|"*) rest=$(grep -v "^$name:" "$1"); echo "$rest" > "$1" ;; *) return 1 ;; esac
        }
        join() {
            line=$(grep "^$1:" /etc/group) || { echo "$tool: group '$1' does not exist" >&2; exit 6; }
            case "$line" in *:) line=$line$name ;; *) line=$line,$name ;; esac
            rest=$(grep -v "^$1:" /etc/group)
            printf '%s\n%s\n' "$rest" "$line" > /etc/group
        }
        touch /etc/passwd /etc/group
        spare_users='\#(spare("/etc/passwd"))'
        spare_groups='\#(spare("/etc/group"))'
        case "$tool" in
            adduser|addgroup) [ -n "$2" ] && { join "$2"; exit 0; } ;;
        esac
        case "$tool" in
            groupadd|addgroup)
                if ! vacate /etc/group "$spare_groups"; then
                    [ -n "$may_exist" ] && exit 0
                    echo "$tool: group '$name' already exists" >&2
                    exit 9
                fi
                echo "$name:x:${id:-$(free /etc/group $first)}:" >> /etc/group
                exit 0 ;;
        esac
        vacate /etc/passwd "$spare_users" || { echo "$tool: user '$name' already exists" >&2; exit 9; }
        id=${id:-$(free /etc/passwd $first)}
        case "$group" in
            '')
                vacate /etc/group "$spare_groups"
                gid=$(number "$name")
                [ -n "$gid" ] || { gid=$id; echo "$name:x:$gid:" >> /etc/group; } ;;
            *[!0-9]*)
                gid=$(number "$group")
                [ -n "$gid" ] || { echo "$tool: group '$group' does not exist" >&2; exit 6; } ;;
            *) gid=$group ;;
        esac
        home=${home:-/home/$name}
        echo "$name:x:$id:$gid::$home:$shell" >> /etc/passwd
        for other in $(echo "$others" | tr , ' '); do join "$other"; done
        if [ "$makes_home" = 1 ] || [ "$tool$makes_home" = adduser ]; then
            mkdir -p "$home" && chown "$id:$gid" "$home"
        fi
        exit 0

        """#
}
