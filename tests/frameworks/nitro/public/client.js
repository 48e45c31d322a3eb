// Makes the button alive that the server has rendered.
const button = document.getElementById("count");
let count = Number(button?.dataset.count);
button?.addEventListener("click", () => (button.textContent = `count ${++count}`));
