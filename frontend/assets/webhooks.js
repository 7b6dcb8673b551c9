/* Clientside callbacks of the page of webhooks. */
window.dash_clientside = window.dash_clientside || {};

window.dash_clientside.webhooks = {
    /* After a refused webhook: the first field that is wrong, once it says so. */
    focusWrong: function (...errors) {
        if (!errors.some(Boolean)) return;
        window.requestAnimationFrame(() => {
            const field = document.querySelector("#webhook-form input[aria-invalid=true]");
            if (field) field.focus();
        });
    },
};
