# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_imageclassifier_global_optspecs
    string join \n h/help V/version
end

function __fish_imageclassifier_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_imageclassifier_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_imageclassifier_using_subcommand
    set -l cmd (__fish_imageclassifier_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -s h -l help -d 'Print help'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -s V -l version -d 'Print version'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "classify" -d 'Classify pictures (JPEG, PNG, WebP, GIF, BMP)'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "models" -d 'Tell which model the server serves, how it prepares pictures, and what it accepts'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "health" -d 'Tell whether the server answers calls'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l server -d 'The server to ask' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l tls-ca -d 'Trust the certificate authorities in this file (PEM) in the place of the system\'s, for a server with an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l token-file -d 'Present the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l timeout -d 'How long to wait for an answer, for each picture, in seconds' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l weights -d 'With --local: use the weights in this file, of EfficientNet-Lite0, Lite1 or Lite2' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l model -d 'Ask this model; the server\'s default where none is named' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l top-k -d 'How many predictions to show for each picture, 1 to 1000' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l explain -d 'Draw into this folder, for each prediction, where in the picture the class was seen' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l retries -d 'How many more times to send a picture that the server turned away for the moment or that was lost with the connection' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l local -d 'Classify in this process, without a server'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l json -d 'Print one JSON object a line for each file, in order'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l csv -d 'Print CSV, with one row for each file, in order'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -l server -d 'The server to ask' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -l tls-ca -d 'Trust the certificate authorities in this file (PEM) in the place of the system\'s, for a server with an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -l token-file -d 'Present the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -l timeout -d 'How long to wait for an answer, for each picture, in seconds' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -l json -d 'Print a JSON object'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l server -d 'The server to ask' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l tls-ca -d 'Trust the certificate authorities in this file (PEM) in the place of the system\'s, for a server with an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l token-file -d 'Present the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l timeout -d 'How long to wait for an answer, for each picture, in seconds' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l wait -d 'Wait until it does, for as long as --timeout says'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify models health help" -f -a "classify" -d 'Classify pictures (JPEG, PNG, WebP, GIF, BMP)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify models health help" -f -a "models" -d 'Tell which model the server serves, how it prepares pictures, and what it accepts'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify models health help" -f -a "health" -d 'Tell whether the server answers calls'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify models health help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
