"""A person in front of the page."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

# What a person would call cut or running out of the page; what scrolls by itself is neither.
CUT = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push("the page scrolls sideways");
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest("[hidden], .unseen, svg, dialog:not([open])")) continue;
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (!box.width || !box.height) continue;
    const name = `${one.tagName} ${one.className} ${(one.textContent || "").slice(0, 40)}`;
    if (!one.parentElement.closest("pre") && (box.right > width + 1 || box.left < -1)) found.push(`outside: ${name}`);
    const hides = ["hidden", "clip"].includes(style.overflowX) || style.textOverflow === "ellipsis";
    if (hides && one.scrollWidth > one.clientWidth + 1) found.push(`cut: ${name}`);
  }
  return found;
}"""


@dataclass
class Visitor:
    page: Page

    def watch_the_streams(self, milliseconds: int) -> None:
        """Let everything move, as it does for most people, and look on for a while."""
        self.page.emulate_media(reduced_motion="no-preference")
        self.page.wait_for_timeout(milliseconds)

    def become(self, name: str) -> None:
        self.page.get_by_test_id(f"user-{name}").check()
        expect(self.page.get_by_test_id(f"user-{name}")).to_be_checked()

    def type(self, text: str) -> None:
        self.page.get_by_test_id("composer").fill(text)
        self.page.keyboard.press("Enter")

    @property
    def messages(self) -> Locator:
        return self.page.get_by_test_id("channel").get_by_test_id("message")

    @property
    def root(self) -> Locator:
        """The newest release's root message."""
        return self.page.locator("#channel > li > [data-testid=message]", has=self.page.locator("h4")).last

    @property
    def thread(self) -> Locator:
        return self.page.get_by_test_id("thread").last

    def told_privately(self, words: str) -> None:
        last = self.messages.filter(has_text="Only visible to you").last
        expect(last).to_contain_text(words)

    def press(self, label: str) -> Locator:
        """Press a button of the root message; the dialog that asks back."""
        self.root.get_by_role("button", name=label).click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        return dialog

    def share(self, version: str) -> int:
        text = self.page.get_by_test_id(f"share-{version}").inner_text()
        return int(text.removesuffix(" %"))

    def cut(self) -> list[str]:
        found: list[str] = self.page.evaluate(CUT)
        return found
