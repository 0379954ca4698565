# What the fence scripts share; read by them, not run. Exit codes are Estepe's: 0 done, 1 try again, 2 and more final.
ESTEPE_DRY_RUN=${ESTEPE_DRY_RUN:-0}

# say SENTENCE CODE: the last line of a script
say() {
  echo "$1"
  exit "$2"
}

# settings FILE NAME...: reads the settings beside the script; they may hold passwords, so nobody else may read them
settings() {
  file="$here/$1"
  [ -r "$file" ] || say "$file is missing: write it as the head of this script says" 2
  case $(stat -L -c %a "$file") in
    *00) ;;
    *) say "$file can be read by others: chmod 600 $file" 2 ;;
  esac
  . "$file"
  shift
  for name in "$@"; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || say "$name is missing in $file" 2
  done
  [ -n "$ESTEPE_OLD_ADDRESS" ] || say "ESTEPE_OLD_ADDRESS is not set: this script is run by Estepe" 2
}
