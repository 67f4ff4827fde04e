// SPDX-License-Identifier: Apache-2.0

/// Makes a completion script for bash of the table.
///
/// The script needs nothing but bash 4.4. It knows for each command its commands, options and arguments; what a word
/// may be is written as one of `file`, `folder`, `words A B ...`, `run ARGUMENTS ...` (the program is asked, its lines
/// are proposed) and, for everything else, `text`. No proposal is ever evaluated by the shell.
public enum BashCompletion {
    public static func script(_ tree: CommandTree) -> String {
        let function = "_" + tree.name.split(separator: "-").joined(separator: "_")
        let ways = tree.walk()
        return """
            # bash completion for \(tree.name)
            # shellcheck shell=bash disable=SC2034

            # What stands behind a command: its commands, its options, and the kinds of its arguments.
            \(function)_place() {
                case $1 in
            \(ways.map(place).joined(separator: "\n"))
                esac
            }

            # Sets kind to that of an option's value; fails for flags.
            \(function)_value() {
                case "$1 $2" in
            \(ways.flatMap(values).joined(separator: "\n"))
                *) return 1 ;;
                esac
            }

            \(String(body.flatMap { $0 == "~" ? function : $0 == "^" ? tree.name : String($0) }))
            complete -F \(function) \(tree.name)

            """
    }

    private static func place(_ way: [CommandTree]) -> String {
        guard let command = way.last, let root = way.first else { return "" }
        var options = way.flatMap(\.options).flatMap { option in
            ["--" + option.name] + (option.short.map { ["-\($0)"] } ?? [])
        }
        options += ["--help", "-h"] + (root.version == nil ? [] : ["--version"])
        let kinds = command.arguments.flatMap { argument in
            Array(repeating: quoted(kind(argument.kind)), count: min(argument.count.upperBound, 8))
        }
        let endless = command.arguments.last.map { $0.count.upperBound > 8 } ?? false
        return """
                \(quoted(way.map(\.name).joined(separator: " "))))
                    commands=(\(command.commands.map { quoted($0.name) }.joined(separator: " ")))
                    options=(\(options.joined(separator: " ")))
                    arguments=(\(kinds.joined(separator: " ")))
                    endless=\(endless ? "1" : "")
                    ;;
            """
    }

    private static func values(_ way: [CommandTree]) -> [String] {
        let name = way.map(\.name).joined(separator: " ")
        return way.flatMap(\.options).compactMap { option in
            guard let value = option.value else { return nil }
            let spellings = ["--" + option.name] + (option.short.map { ["-\($0)"] } ?? [])
            let patterns = spellings.map { quoted("\(name) \($0)") }.joined(separator: " | ")
            return "    \(patterns)) kind=\(quoted(kind(value.kind))) ;;"
        }
    }

    private static func kind(_ value: CommandValue) -> String {
        switch value {
        case .file: "file"
        case .folder: "folder"
        case .choice(let words): "words " + words.joined(separator: " ")
        case .proposed(let arguments): "run " + arguments.joined(separator: " ")
        default: "text"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// The same for every program; `~` stands for the name of its function, `^` for its own.
    private static let body = #"""
        # Proposes the words that begin like the current one. Readline replaces only what stands behind the last of
        # its word breaks, so what stands before it (head) is left out.
        ~_offer() {
            local word
            for word in "$@"; do
                [[ $prefix$word == "$current"* ]] || continue
                word=$prefix$word
                COMPREPLY+=("${word#"$head"}")
            done
        }

        ~_offer_kind() {
            local word kinds proposals=()
            read -ra kinds <<<"$1"
            case ${kinds[0]} in
            file | folder)
                compopt -o filenames 2>/dev/null
                local option=-f
                [[ ${kinds[0]} == folder ]] && option=-d
                mapfile -t proposals < <(compgen "$option" -- "${current#"$prefix"}")
                ~_offer "${proposals[@]}"
                ;;
            words) ~_offer "${kinds[@]:1}" ;;
            run)
                mapfile -t proposals < <("$program" "${kinds[@]:1}" 2>/dev/null </dev/null)
                ~_offer "${proposals[@]}"
                for word in "${!COMPREPLY[@]}"; do
                    COMPREPLY[word]=$(printf %q "${COMPREPLY[word]}")
                done
                ;;
            esac
        }

        ~() {
            local program=$1 line=${COMP_LINE:0:COMP_POINT} place='^' words current head='' prefix='' kind='' word
            local commands=() options=() arguments=() endless='' taken=0 only_arguments='' next
            COMPREPLY=()
            # Bash's own words are split at = : @ too; these are split at blanks, and backslashes are taken away.
            # shellcheck disable=SC2162
            read -a words <<<"$line"
            [[ $line == *[[:blank:]] ]] && words+=('')
            current=${words[${#words[@]} - 1]}
            [[ $current == *"$2" ]] && head=${current%"$2"}
            ~_place "$place"
            for word in "${words[@]:1:${#words[@]}-2}"; do
                if [[ -n $kind ]]; then
                    kind=''
                elif [[ -n $only_arguments ]]; then
                    taken=$((taken + 1))
                elif [[ $word == -- ]]; then
                    only_arguments=1
                elif [[ $word == --*=* ]]; then
                    :
                elif [[ $word == -?* ]]; then
                    ~_value "$place" "$word"
                else
                    for next in "${commands[@]}" ''; do
                        [[ $next == "$word" ]] && break
                    done
                    if [[ -n $next ]]; then
                        place="$place $next"
                        ~_place "$place"
                    else
                        taken=$((taken + 1))
                    fi
                fi
            done
            if [[ -z $kind && -z $only_arguments && $current == --*=* ]]; then
                ~_value "$place" "${current%%=*}" || return
                prefix="${current%%=*}="
            fi
            if [[ -n $kind ]]; then
                ~_offer_kind "$kind"
            elif [[ -z $only_arguments && $current == -* ]]; then
                ~_offer "${options[@]}"
            elif ((${#commands[@]})); then
                ~_offer "${commands[@]}"
            elif ((taken < ${#arguments[@]})); then
                ~_offer_kind "${arguments[taken]}"
            elif [[ -n $endless ]]; then
                ~_offer_kind "${arguments[${#arguments[@]} - 1]}"
            fi
        }
        """#
}
