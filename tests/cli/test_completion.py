"""Words of the command line that a shell completes."""

import shutil
import subprocess

import pytest

from recbole_edlae import cli

COMPLETED = {
    "lead": {"leaderboard"},
    "run --model Light": {"LightGCN", "LightSANs"},
    "tune -m LowRankE": {"LowRankEDLAE"},
    "leaderboard --models EDLAE Deep": {"DeepAE", "DeepVAE", "DeepFM"},
    "leaderboard --models EDLAE --se": {"--seeds", "--settings"},
    "activations --out": {"--output"},
    "export --dtype float": {"float16", "float32"},
    "run --config_files mi": {"mine.yaml"},
    "convert-liang so": {"some-folder"},
    "leaderboard --output some": {"some-folder"},
}
ASK = """
source ./completion
COMP_WORDS=(recbole-edlae "$@"); COMP_CWORD=$#
_shtab_recbole_edlae recbole-edlae "${COMP_WORDS[$#]}" "${COMP_WORDS[$#-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(shell, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--print-completion", shell])
    assert stopped.value.code in (None, 0)
    return capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize("words", COMPLETED)
def test_bash_completes_commands_options_models_and_paths(words, capsys, tmp_path):
    (tmp_path / "completion").write_text(script("bash", capsys))
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "some-folder").mkdir()
    done = subprocess.run(["bash", "-c", ASK, "bash", *words.split()], capture_output=True, text=True)
    assert done.stderr == "" and set(done.stdout.split()) == COMPLETED[words]


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_have_a_script_with_commands_and_models(shell, capsys):
    text = script(shell, capsys)
    assert "convert-liang" in text and "LowRankEDLAE" in text


@pytest.mark.parametrize("words", [["--print-completion"], ["--print-completion", "ksh"]])
def test_a_shell_that_is_none(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and "--print-completion" in error
