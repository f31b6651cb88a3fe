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
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "classify" -d 'Classify images (JPEG, PNG, WebP, GIF, BMP, TIFF, ICO, QOI, PNM, TGA, DIB)'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "train" -d 'Train a model of your own classes on photographs'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "evaluate" -d 'Measure a trained model on labelled photographs'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "embed" -d 'Write the feature vector of each image'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "import" -d 'Make a model of an image classifier in ONNX, safetensors or PyTorch\'s format'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "inspect" -d 'Show what a model consists of, and where its time goes'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "models" -d 'Show the server\'s models, and the preprocessing and limits of the default one'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "feedback" -d 'Tell the server the correct class of images that were misclassified'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "health" -d 'Check whether the server is ready'
complete -c imageclassifier -n "__fish_imageclassifier_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l server -d 'URL of the server, or of several that are alike, separated by commas' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l tls-ca -d 'Trust the CA certificates in this file (PEM) instead of the system\'s, for an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l token-file -d 'Send the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l timeout -d 'Timeout for each image or request, in seconds, at most a year' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l weights -d 'Weights of EfficientNet-Lite0, Lite1 or Lite2 for --local' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l model -d 'Name of the model, or NAME@VERSION, or with --local the folder of one that `train` or `import` wrote; default: the server\'s default' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l top-k -d 'Number of predictions for each image; at most 1000, or the number of the model\'s classes if that is larger' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l explain -d 'Write a heatmap for each prediction into this folder: where in the image the class was seen' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l retries -d 'Number of retries for an image that the server rejects temporarily or that is lost with the connection' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l output -d 'Write the results into this folder, which may be a URL (s3://, gs://, az://), instead of printing them' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l format -d 'Format of the results' -r -f -a "jsonl\t'One JSON object per line, as --json prints it'
parquet\t'Apache Parquet'"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l rows-per-object -d 'Number of images in an object of results, at most' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l shard -d 'Classify only one of N disjoint parts of the images: I is its index, from 0' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l shards -d 'Number of shards, where the environment variable JOB_COMPLETION_INDEX has the index (Indexed Jobs of Kubernetes)' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l local -d 'Classify in this process, without a server'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l json -d 'Print one JSON object per line and file, in order'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -l csv -d 'Print CSV, one row per file, in order'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand classify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -s o -l output -d 'Where the model is written; the folder\'s name is the model\'s name' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -l csv -d 'Table of files and labels instead of FOLDER, for images that show several classes at once' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -l base -d 'Network that computes the features: lite0, a file of weights as for `classify --weights`, or a folder that `import` wrote' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -l validation -d 'Folder with photographs to measure the model on; default: photographs held out from training in turn' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -l unknown -d 'Whether the model says "unknown" to images that resemble no class' -r -f -a "auto\t'To images that resemble the classes less than 95 % of the training images do'
off\t'Never'"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -l cache -d 'Folder that keeps features, so that each image is embedded once; \'\' for none [default: the user\'s cache folder]' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand train" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand evaluate" -l unknown -d 'Folder with photographs that show none of the classes, to measure how well the model says "unknown"' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand evaluate" -l base -d 'Network that the model was trained on, if it is not in its folder: lite0, or the file of its weights' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand evaluate" -l cache -d 'As for `train`' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand evaluate" -l json -d 'Print a JSON object'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand evaluate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand embed" -l base -d 'Network that computes the features, as for `train`; also a folder that `train` wrote with an imported network' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand embed" -l cache -d 'As for `train`' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand embed" -l npy -d 'Write one matrix in NumPy\'s format, a row per image, instead of JSON lines'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand embed" -l jsonl -d 'Write one JSON object per line and image, with `file` and `embedding` (the default)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand embed" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -s o -l output -d 'Where the model is written; the folder\'s name is the model\'s name' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l architecture -d 'For weights: the network that they belong to, as timm or torchvision calls it, for example resnet50' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l labels -d 'Names of the classes: a file with one per line in the order of class index, or `imagenet`' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l preprocessing -d 'How images are prepared, for what the source does not say' -r -f -a "torchvision\t'ImageNet\'s mean and deviation, bilinear, centre 7/8'
inception\t'-1 to 1, bicubic, centre 7/8'
unit\t'0 to 1, bilinear, the whole centre square'"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l input-size -d 'Side of the input in pixels, for networks that leave it open and for weights' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l mean -d 'Mean of each channel, in the network\'s order, for values from 0 to 1' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l std -d 'Divisor of each channel after the mean was subtracted, for values from 0 to 1' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l filter -d 'Resampling filter' -r -f -a "bilinear\t''
bicubic\t''
lanczos\t''"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l crop-fraction -d 'Input size as a fraction of the resized image\'s shorter side; the network sees the centre' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l check -d 'Compare the results for these images with onnxruntime\'s, or with PyTorch\'s for weights; python3 must have it' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l squash -d 'Resize the whole image to a square instead of taking the centre'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l bgr -d 'The network reads blue, green, red'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -l multi-label -d 'An image can show several classes: each has a probability of its own'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand inspect" -l threads -d 'Threads for --profile' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand inspect" -l profile -d 'Run the network and show the time of each step'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -l server -d 'URL of the server, or of several that are alike, separated by commas' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -l tls-ca -d 'Trust the CA certificates in this file (PEM) instead of the system\'s, for an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -l token-file -d 'Send the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -l timeout -d 'Timeout for each image or request, in seconds, at most a year' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -l json -d 'Print a JSON object'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -f -a "publish" -d 'Upload a model folder to the server, as a new version of the model'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -f -a "rollback" -d 'Serve the previous version of a model again'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and not __fish_seen_subcommand_from publish rollback help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l name -d 'Name of the model [default: the folder\'s name]' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l version -d 'Number of the version, above the highest one [default: the next]' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l server -d 'URL of the server, or of several that are alike, separated by commas' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l tls-ca -d 'Trust the CA certificates in this file (PEM) instead of the system\'s, for an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l token-file -d 'Send the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -l timeout -d 'Timeout for each image or request, in seconds, at most a year' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from rollback" -l models -d 'Folder of the models, as for imageclassifier-server' -r -f -a "(__fish_complete_directories)"
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from help" -f -a "publish" -d 'Upload a model folder to the server, as a new version of the model'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from help" -f -a "rollback" -d 'Serve the previous version of a model again'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand models; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -l label -d 'Name of the class that the images show; it may be a new one' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -l server -d 'URL of the server, or of several that are alike, separated by commas' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -l tls-ca -d 'Trust the CA certificates in this file (PEM) instead of the system\'s, for an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -l token-file -d 'Send the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -l timeout -d 'Timeout for each image or request, in seconds, at most a year' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand feedback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l server -d 'URL of the server, or of several that are alike, separated by commas' -r -f
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l tls-ca -d 'Trust the CA certificates in this file (PEM) instead of the system\'s, for an https URL' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l token-file -d 'Send the access token in the first line of this file' -r -F
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l timeout -d 'Timeout for each image or request, in seconds, at most a year' -r
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -l wait -d 'Wait until the server is ready, at most --timeout'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "classify" -d 'Classify images (JPEG, PNG, WebP, GIF, BMP, TIFF, ICO, QOI, PNM, TGA, DIB)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "train" -d 'Train a model of your own classes on photographs'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "evaluate" -d 'Measure a trained model on labelled photographs'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "embed" -d 'Write the feature vector of each image'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "import" -d 'Make a model of an image classifier in ONNX, safetensors or PyTorch\'s format'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "inspect" -d 'Show what a model consists of, and where its time goes'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "models" -d 'Show the server\'s models, and the preprocessing and limits of the default one'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "feedback" -d 'Tell the server the correct class of images that were misclassified'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "health" -d 'Check whether the server is ready'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and not __fish_seen_subcommand_from classify train evaluate embed import inspect models feedback health help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and __fish_seen_subcommand_from models" -f -a "publish" -d 'Upload a model folder to the server, as a new version of the model'
complete -c imageclassifier -n "__fish_imageclassifier_using_subcommand help; and __fish_seen_subcommand_from models" -f -a "rollback" -d 'Serve the previous version of a model again'
