# Proofs as a client keeps them, and the programs that check them.

# A file with these bytes, beside the server's directory.
proc check_file {bytes} {
    set path [file join [srv dir] .. proof[incr ::check_files]]
    write_file $path $bytes
    return $path
}

# What valori-check says, its exit code in front.
proc check {what args} {
    set code 0
    set program [file join [file dirname [server_binary]] valori-check]
    if {[catch {exec $program $what {*}$args 2>@1} said options]} {
        set code [lindex [dict get $options -errorcode] 2]
    }
    return "$code $said"
}

# The same of the verifier in Python, which is right about everything where there is none.
proc check_python {path args} {
    if {[catch {exec python3 --version}]} { return "0 right: (no python3)" }
    set code 0
    if {[catch {exec python3 utils/verify_proof.py $path {*}$args 2>@1} said options]} {
        set code [lindex [dict get $options -errorcode] 2]
    }
    return "$code $said"
}

# The file with the server's verifier key, and the size in a checkpoint.
proc key {} { return [file join [srv dir] valori.pub] }
proc checkpoint_size {note} { return [lindex [split $note \n] 1] }

# The lines of an answer of hashes, as redis-cli prints them.
proc lines {list} { return "[join $list \n]\n" }
