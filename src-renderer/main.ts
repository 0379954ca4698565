/** Starts the page: takes the token out of the address, sets the language, mounts. */
import './lib/tokens.css';
import './lib/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { getLocale } from './lib/paraglide/runtime.js';
import { takeToken } from './lib/token.ts';

document.documentElement.lang = getLocale();
const target = document.getElementById('page');
if (target !== null) mount(App, { target, props: { token: takeToken() } });
