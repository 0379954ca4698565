/** Starts the page: sets the language, mounts. */
import './lib/tokens.css';
import './lib/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { getLocale } from './lib/paraglide/runtime.js';

document.documentElement.lang = getLocale();
const target = document.getElementById('page');
if (target !== null) mount(App, { target });
