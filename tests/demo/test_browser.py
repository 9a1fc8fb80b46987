"""The page in a browser: headless Chromium, the local server and the page, a process each."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving.client import RestClient
from tests.serving.server_process import start
from zoo.models.loading import SHIPPED

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="the page needs Gradio: pip install attention-zoo[demo]")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright: pip install attention-zoo[browser]"
)
CHROMIUM = shutil.which("chromium")
if not CHROMIUM:
    pytest.skip("needs chromium on the PATH: apt-get install chromium", allow_module_level=True)

FRENCH, DATES = MODELS = ("tatoeba-en-fr-transformer", "dates-luong")
ENGLISH = "I have never seen such a beautiful sunset."
DESK, PHONE = {"width": 1100, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 60_000  # milliseconds; the first request waits for the model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    for model in MODELS:
        shutil.copytree(SHIPPED / model, folder / model)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    """The process and its REST port."""
    process, port, _ = start(folder, stderr=subprocess.DEVNULL)
    with process:
        yield process, port
        process.kill()


@contextlib.contextmanager
def demo(port, *arguments):
    """The address of a page that asks a server."""
    command = [sys.executable, "-m", "attention_zoo", "demo", "--port", "0", *arguments]
    with subprocess.Popen(
        [*command, "--server", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def address(server, folder):
    with demo(server[1], "--saved-models", str(folder), "--model", *MODELS) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens a page; no request of it leaves the machine."""
    with contextlib.ExitStack() as after:

        def opened(address, size=DESK, **options):
            context = chromium.new_context(viewport=size, **options)
            after.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            elsewhere = []
            page.on("request", lambda request: elsewhere.append(request.url))
            page.goto(address)
            after.callback(lambda: check_local(elsewhere, address))
            page.locator("#model input").wait_for()
            return page

        yield opened


def check_local(urls, address):
    assert urls
    assert not [url for url in urls if not url.startswith((address, "data:", "blob:"))]


def translate(page, text):
    """Types a text and waits for what comes of it."""
    page.locator("#text textarea").fill(text)
    page.locator("#translate").click()
    page.locator(".answer, .notice").first.wait_for()


def choose(page, model):
    page.locator("#model input").click()
    page.get_by_role("option", name=model).click()
    playwright.expect(page.locator("#model input")).to_have_value(model)


def widths(page):
    return page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_sentence_is_translated_and_explained(server, address, visit, size, tmp_path, request):
    page = visit(address, size, device_scale_factor=1.5, color_scheme="light")
    translate(page, ENGLISH)
    page.locator(".alignment").nth(1).wait_for()

    client = RestClient(port=server[1])
    best = client.translate(FRENCH, [ENGLISH], signature="translate_n_best")
    looked = client.translate(FRENCH, [ENGLISH], signature="translate_with_alignment")
    assert page.locator(".said").inner_text() == best["text"][0][0] == looked["text"][0]
    rows = page.locator(".best tbody tr")
    assert [row.split("\n")[0] for row in rows.all_inner_texts()] == best["text"][0].tolist()
    assert f"{best['score'][0][0]:.2f}" in rows.first.inner_text()

    attention, mattered = page.locator(".alignment").all()
    tokens = [token.replace("</s>", "⏎") for token in looked["target_tokens"][0]]
    assert attention.locator("tbody th").all_inner_texts() == tokens
    assert attention.locator("tbody tr").first.locator("td").count() == looked["source_length"][0]
    assert mattered.locator("tbody th").all_inner_texts() == tokens
    drawn = attention.locator("td").evaluate_all("cells => cells.map(c => c.style.cssText)")
    weights = [float(text.split(":")[1].strip(" ;")) for text in drawn]
    assert weights == pytest.approx(looked["alignment"][0].ravel().tolist(), abs=6e-4)

    cell = attention.locator("tbody tr").nth(5).locator("td").nth(3)
    ink = "cell => getComputedStyle(cell).backgroundColor"
    before = cell.evaluate(ink)
    cell.hover()
    assert before.startswith("rgba(28, 25, 23")
    assert cell.evaluate(ink).startswith("rgba(194, 65, 12")
    assert widths(page)[0] <= size["width"]
    if size == DESK:
        picture = Path(request.config.getoption("--screenshot") or tmp_path / "demo.png")
        page.screenshot(path=picture, full_page=True)
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_example_is_a_click_away(address, visit):
    page = visit(address)
    choose(page, DATES)
    page.locator("#examples").get_by_text("2013년 2월 9일 토요일").click()
    playwright.expect(page.locator(".said")).to_have_text("2013-02-09")
    assert page.locator(".alignment").first.locator("thead th").all_inner_texts()[5] == "년"


def test_settings_change_the_translation(address, visit):
    page = visit(address, PHONE)
    page.locator("#settings button").first.click()
    page.get_by_role("checkbox").check()
    page.locator("#prefix textarea, #prefix input").fill("Je suis")
    translate(page, ENGLISH)
    playwright.expect(page.locator(".said")).to_contain_text("Je suis")
    assert "translation as exported alone" in page.locator(".notice").inner_text()
    page.get_by_label("Least").fill("9")
    page.get_by_label("Longest").fill("3")
    page.locator("#translate").click()
    message = page.locator(".notice", has_text="The least length, 9, is above the longest, 3")
    message.wait_for()
    assert widths(page)[0] <= PHONE["width"]


def test_bad_texts_are_told(address, visit):
    page = visit(address)
    translate(page, "  ")
    assert page.locator(".notice").inner_text().startswith("There is nothing to translate")
    translate(page, "She said that the station is far away. " * 12)
    page.locator(".answer").wait_for()
    said = page.locator(".notice").inner_text()
    assert said.startswith("The model reads 63 tokens of a text: it cut this one behind “…")
    assert widths(page)[0] <= DESK["width"]


def test_dark_is_light_on_dark(address, visit):
    page = visit(address, color_scheme="dark")
    translate(page, "Where is the station?")
    page.locator(".alignment").first.wait_for()
    cell = page.locator(".alignment td").first
    style = cell.evaluate("cell => getComputedStyle(cell).backgroundColor")
    assert style.startswith("rgba(250, 250, 249")


def test_a_model_that_is_not_served_and_a_server_that_goes_away(server, address, visit):
    """The last test here: it ends the server."""
    process, port = server
    with demo(port, "--model", "dates-baroque") as other:
        page = visit(other)
        playwright.expect(page.locator(".notice")).to_have_text(
            "The server has no model dates-baroque"
        )
        translate(page, "3 May 1999")
        playwright.expect(page.locator(".notice")).to_contain_text("The server has no such model")
    page = visit(address)
    process.kill()
    process.wait()
    translate(page, ENGLISH)
    expected = f"No server on 127.0.0.1:{port}; start one with: attention-zoo serve saved_models"
    playwright.expect(page.locator(".notice")).to_have_text(expected)
